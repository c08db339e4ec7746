"""What the measurements should reach. Each goal names a table, the rows it is about and a column."""


class Goal:
    def __init__(self, text, level, table, rows, column, at_least=None, aim=None, at_most=None, worst=min):
        self.text, self.level, self.table, self.rows, self.column = text, level, table, rows, column
        self.at_least, self.aim, self.at_most = at_least, aim, at_most
        self.worst = max if at_most is not None else worst

    def value(self, documents):
        tables = documents.get(self.level, {"tables": []})["tables"]
        values = [
            row[self.column]
            for t in tables
            if t["name"] == self.table
            for row in t["rows"]
            if self.rows(row) and isinstance(row.get(self.column), (int, float))
        ]
        return self.worst(values) if values else None

    def row(self, documents):
        value = self.value(documents)
        bound = f"at most {self.at_most:.3g}" if self.at_most is not None else f"at least {self.at_least:.3g}"
        aim = "" if self.aim is None else f"{self.aim:.3g}"
        within = value is not None and (value >= self.at_least if self.at_most is None else value <= self.at_most)
        verdict = "not measured" if value is None else "reached" if within else "missed"
        if verdict == "reached" and self.aim is not None:
            verdict = "aim reached" if (value <= self.aim if self.at_most is not None else value >= self.aim) else "reached"
        return {"what": self.text, "measured": value, "bound": bound, "aim": aim, "verdict": verdict}


def sequences(count):
    return lambda row: row["sequences"] == count


def every(row):
    return True


GENERATION = {1: (1.0, 1.2), 8: (1.5, None), 16: (1.5, 2.5), 32: (1.5, 2.5), 64: (1.5, 2.0)}

GOALS = [
    *[
        Goal(
            f"generation against llama.cpp, {n} sequences",
            "engine",
            "generation",
            sequences(n),
            "generation_vs_llamacpp",
            least,
            aim,
        )
        for n, (least, aim) in GENERATION.items()
    ],
    Goal("prompt of 512 tokens against llama.cpp", "engine", "prompt", every, "prompt_vs_llamacpp", 1.2, 1.7),
    Goal(
        "generation against transformers, its better dtype, 8 sequences",
        "engine",
        "generation",
        sequences(8),
        "generation_vs_transformers",
        5,
        6,
    ),
    Goal(
        "generation against transformers, its better dtype, 32 sequences",
        "engine",
        "generation",
        sequences(32),
        "generation_vs_transformers",
        5,
        9,
    ),
    Goal("GRPO step against TRL, its better dtype", "step", "grpo step", every, "step_vs_trl", 4, 8),
    Goal(
        "resident memory by TRL's, its faster dtype; masters and moments in files",
        "step",
        "grpo step",
        lambda r: r["tool"].endswith("in files"),
        "memory_vs_trl",
        at_most=1 / 3,
    ),
    Goal(
        "the same, all in memory", "step", "grpo step", lambda r: r["tool"].endswith("in memory"), "memory_vs_trl", at_most=1 / 3
    ),
    Goal("generation by roofline, 8 sequences", "engine", "generation", sequences(8), "generation_vs_roofline", 0.5, 0.75),
    Goal("generation by roofline, 32 sequences", "engine", "generation", sequences(32), "generation_vs_roofline", 0.5, 0.65),
    Goal(
        "bf16 products by peak, 64 rows and up, worst shape", "ops", "products", lambda r: r["rows"] >= 64, "of_peak", 0.7, 0.8
    ),
    Goal("one row through all products by DRAM read, just then", "ops", "model products", lambda r: r["rows"] == 1, "of_dram", 0.8),
    Goal("forward + backward by bf16 peak", "step", "forward + backward", every, "of_peak", 0.55, worst=max),
    Goal(
        "products against LibTorch, below 32 rows, worst shape",
        "ops",
        "products",
        lambda r: r["rows"] < 32,
        "vs_libtorch",
        1.5,
    ),
    Goal(
        "products against LibTorch, 32 rows and up, worst shape",
        "ops",
        "products",
        lambda r: r["rows"] >= 32,
        "vs_libtorch",
        1.0,
    ),
    *[
        Goal(
            f"training with 64 experts by 8, {rows} rows an expert",
            "engine",
            "cost by experts",
            every,
            f"train_{rows}_growth",
            at_most=1.1,
        )
        for rows in (68, 136)
    ],
    Goal("one sequence's step beside idle ones", "engine", "cost of idle sequences", every, "growth", at_most=1.1),
    Goal("loss memory, 64k tokens by 1k", "step", "loss memory", every, "growth", at_most=1.25),
    Goal("memory plan by peak memory: difference", "step", "grpo step", every, "plan_difference", at_most=0.1),
    Goal("seconds from start to first sample", "step", "start", every, "seconds", at_most=2.0),
]


def goals(documents):
    return [goal.row(documents) for goal in GOALS]


def not_reached(documents, must_be_measured):
    """Goals that were missed, and those of the levels `must_be_measured` that were not measured."""
    rows = [(goal.level, goal.row(documents)) for goal in GOALS]
    return [
        row for level, row in rows if row["verdict"] == "missed" or (row["verdict"] == "not measured" and level in must_be_measured)
    ]
