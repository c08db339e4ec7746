"""Fine-tunes a small born model on a file of two formats, stops and resumes it, and looks at all that it leaves. See sft.sh."""
import filecmp
import itertools
import json
import os
import shutil
import subprocess
import tempfile

import runs

CONFIG = "tests/end_to_end/sft.toml"


def check(truth, text):
    if not truth:
        runs.fail(text)


def write_data(work):
    """56 pairs of letters: every seventh is held back. Half of the others are a prompt, half an instruction."""
    pairs = ["".join(p) for p in itertools.permutations("abcdefgh", 2)]
    with open(f"{work}/held.jsonl", "w") as file:
        for pair in pairs[::7]:
            file.write(json.dumps({"prompt": f"{pair}:", "completion": pair[::-1] + "."}) + "\n")
    with open(f"{work}/train.jsonl", "w") as file:
        for i, pair in enumerate(p for j, p in enumerate(pairs) if j % 7):
            row = {"prompt": f"{pair}:", "completion": pair[::-1] + "."} if i % 2 else {
                "instruction": pair[0], "input": pair[1], "output": pair[::-1] + "."}
            file.write(json.dumps(row) + "\n")


def data(work):
    return [f"data.train={work}/train.jsonl", f"data.eval={work}/held.jsonl"]


def events(folder, kind):
    with open(f"{folder}/events.jsonl") as file:
        return [event for event in map(json.loads, file) if event["kind"] == kind]


def ponder(*words, expect=0):
    done = subprocess.run([runs.PONDER, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(done.returncode == expect, f"ponder {' '.join(words)}: exit code {done.returncode}, it printed:\n{done.stdout}")
    return done.stdout


# 48 rows, three times, ten a step: 14.4 steps.
def undisturbed(work):
    folder = f"{work}/calm"
    printed = runs.train(CONFIG, folder, *data(work))
    lines = runs.lines(folder)
    steps = [line for line in lines if "loss" in line]
    check(len(steps) == 15 and steps[-1]["step"] == 15, f"48 rows in 3 epochs of 10 a step are 15 steps, not {len(steps)}")
    losses = [line["eval/loss"] for line in lines if "eval/loss" in line]
    check(len(losses) == 9, f"before, after 2, 4, ... 14 steps and after: 9 evaluations, not {len(losses)}")
    check(losses[-1] < losses[0] - 0.5, f"the held-back loss did not fall: {losses}")
    stage = json.load(open(f"{folder}/summary.json"))["stages"][0]
    check(stage["loss_before"]["loss"] == losses[0] and stage["loss_after"]["loss"] == losses[-1], f"summary.json: {stage}")
    cost = stage["cost"]
    check(abs(cost["joules"] - 50 * cost["seconds"]) < 1e-6 * cost["joules"], f"50 W: {cost}")
    check(abs(cost["price"] - 0.2 * cost["seconds"] / 3600) < 1e-9, f"0.20 an hour: {cost}")
    tokens = sum(line["timing/cost/trained_tokens"] for line in steps)
    check(tokens == steps[-1]["num_tokens"] == cost["trained_tokens"] == 3 * 48 * 4, f"trained tokens: {tokens}, {cost}")
    check(cost["flops"] > 0 and cost["sampled_tokens"] == 0, f"{cost}")
    page = open(f"{folder}/report.html").read()
    for part in ["Held-back completions", "<h2>Cost</h2>", "Best model: eval/loss"]:
        check(part in page, f"report.html lacks {part}")
    for part in ["held back  loss", "cost  ", "EUR", "best     eval/loss"]:
        check(part in printed, f"the closing text lacks {part}:\n{printed}")
    best = json.load(open(f"{folder}/checkpoints/best/best.json"))
    check(best["value"] == min(losses), f"the best is {best}, the losses are {losses}")
    print(f"  15 steps of 3 epochs, held-back loss {losses[0]:.3f} -> {losses[-1]:.3f}, best {best['value']:.3f} at step {best['step']}")
    return folder


def packed(work, calm):
    runs.train(CONFIG, f"{work}/small-batches", *data(work), "optimizer.max_tokens_per_microbatch=1")
    runs.same_metrics(calm, f"{work}/small-batches")
    runs.same_files(calm, f"{work}/small-batches", "final/*.safetensors")
    print("  rows one by one train to the same bits as rows packed together")


def killed(work, calm):
    run = None
    for attempt in range(8):
        run = f"{work}/killed{attempt}"
        partial = f"{run}/checkpoints/.best.partial"
        runs.train_until(CONFIG, run, lambda: len(runs.checkpoints(run)) > 0 and runs.checkpoints(run)[-1] >= "step-000005" and
                         (os.path.exists(partial) or attempt > 4), settings=data(work))
        if len(runs.checkpoints(run)) > 0 and not os.path.exists(f"{run}/final"):
            break
    left = os.path.exists(partial)
    printed = runs.train(CONFIG, run, *data(work), resume=True)
    check("resuming from" in printed, printed)
    runs.same_run(calm, run)
    count = runs.same_files(calm, run, "checkpoints/best/*")
    check(not os.path.exists(partial), "a half-written best checkpoint is still there")
    print(f"  kill -9 {'while the best checkpoint is written' if left else 'in a step'}, then --resume auto: {count} files of best are equal")


def stopped(work):
    folder = f"{work}/stopped"
    stop = ["early_stop.metric=eval/token_accuracy", "early_stop.target=0.3"]
    runs.train(CONFIG, folder, *data(work), *stop)
    told = events(folder, "early_stop")
    stage = json.load(open(f"{folder}/summary.json"))["stages"][0]
    check(len(told) == 1 and "reaches early_stop.target" in told[0]["text"], f"no early stop: {told}")
    check(0 < stage["steps"] < 15 and stage["steps"] == told[0]["step"] and stage["stopped"], f"{stage}")
    check(stage["loss_after"]["token_accuracy"] >= 0.3, f"{stage}")
    before = open(f"{folder}/metrics.jsonl").read()
    runs.train(CONFIG, folder, *data(work), *stop, resume=True)
    check(open(f"{folder}/metrics.jsonl").read() == before, "resuming a stage that ended early went on")
    patient = f"{work}/patient"
    runs.train(CONFIG, patient, *data(work), "early_stop.metric=eval/loss", "early_stop.patience=2", "early_stop.min_delta=99")
    check(json.load(open(f"{patient}/summary.json"))["stages"][0]["steps"] == 4, "two evaluations without improvement end after step 4")
    print(f"  early stop: the target after step {stage['steps']}, patience after step 4; resuming it changes nothing")


def rows_of(file):
    with open(file) as lines:
        return [json.loads(line) for line in lines]


def alarms(work, calm):
    alarm = ["alarm.entropy_low=50", "alarm.window_steps=2"]
    printed = runs.train(CONFIG, f"{work}/warned", *data(work), *alarm)
    check("ALARM: stage sft, step 2: entropy is" in printed, f"no alarm at step 2:\n{printed}")
    kept = rows_of(f"{work}/warned/rollouts/sft-000002.rows.jsonl")
    whole = all(row["text"].endswith(".<eos>") and row["trained"] == [[0, 4]] for row in kept)
    check(len(kept) == 10 and whole, f"the step's rows: {kept}")
    runs.same_files(calm, f"{work}/warned", "final/*.safetensors")
    folder = f"{work}/alarmed"
    printed = runs.train(CONFIG, folder, *data(work), *alarm, "alarm.action=stop", expect=1)
    check("stopped after step 2 by an alarm" in printed, f"the alarm did not stop the run:\n{printed}")
    runs.train(CONFIG, folder, *data(work), resume=True)
    runs.same_run(calm, folder)
    printed = runs.train(CONFIG, f"{work}/infinite", *data(work), "optimizer.lr=1e38", "optimizer.warmup_steps=0", expect=1)
    refused = events(f"{work}/infinite", "step_refused")
    check("the update is not applied" in printed and len(refused) == 1, f"weights of 1e38 made a step:\n{printed}")
    kept = rows_of(f"{work}/infinite/rollouts/sft-{refused[0]['step']:06d}.rows.jsonl")
    check(len(kept) == 10, f"the refused step's rows: {kept}")
    print("  alarms warn or stop, and an update that is not finite is refused; the rows of both are kept")


def left_out(work):
    with open(f"{work}/odd_rows.jsonl", "w") as file:
        file.write(open(f"{work}/train.jsonl").read() + '{"instruction": "a", "input": "b", "output": ""}\n' +
                   open(f"{work}/held.jsonl").readline())
    settings = [f"data.train={work}/odd_rows.jsonl", f"data.eval={work}/held.jsonl", 'data.allow_contamination=["eval"]']
    printed = runs.train(CONFIG, f"{work}/left-out", *settings, "stage.sft.epochs=1")
    for part in ["1 rows have an empty completion", "1 rows of the training data ask what is held back"]:
        check(part in printed, f"no '{part}' in:\n{printed}")
    check(sum("loss" in line for line in runs.lines(f"{work}/left-out")) == 5, "48 rows, ten a step, are 5 steps")
    told = ponder("check", CONFIG, *[word for setting in settings for word in ("--set", setting)])
    check("1 of 50 rows have an empty completion" in told, f"check of an empty completion:\n{told}")
    print("  rows with an empty completion and rows held back are left out, counted and told")


def mixed(work):
    with open(f"{work}/few.jsonl", "w") as file:
        file.writelines(json.dumps({"prompt": f"{letter}:", "completion": letter}) + "\n" for letter in "abc")
    config = f"{work}/mixed.toml"
    with open(config, "w") as file:
        file.write(open(CONFIG).read().replace('keep_best = "eval/loss"', ""))
        file.writelines(f'[[dataset]]\nname = "{name}"\ntrain = "{work}/{name}.jsonl"\n' for name in ("train", "few"))
    runs.train(config, f"{work}/mixed")
    check(sum("loss" in line for line in runs.lines(f"{work}/mixed")) == 16, "3 epochs of 51 rows, ten a step, are 16 steps")
    told = ponder("data", "mix", config)
    check("stage sft: 16 steps of 10 draws" in told, f"data mix does not know the steps:\n{told}")
    epochs = [line.split()[4] for line in told.splitlines() if line.startswith(("  train ", "  few "))]
    check(epochs == ["3.00", "3.00"], told)
    print("  epochs go through the rows of two files equally often, and data mix says so")


def best_is_used(work, calm):
    ponder("export", calm, f"{work}/out", "--best")
    check(filecmp.cmp(f"{work}/out/config.json", f"{calm}/checkpoints/best/config.json"), "export --best took another model")
    best = ponder("sample", "--model", calm, "--best", "--prompt", "ab:", "--temperature", "0", "--dtype", "float32")
    same = ponder("sample", "--model", f"{calm}/checkpoints/best", "--prompt", "ab:", "--temperature", "0", "--dtype", "float32")
    check(best == same, f"sample --best said\n{best}\nand the folder\n{same}")
    shutil.copytree(calm, f"{work}/no-best")
    shutil.rmtree(f"{work}/no-best/checkpoints/best")
    told = ponder("export", f"{work}/no-best", f"{work}/other", "--best", expect=2)
    check("checkpoint.keep_best" in told, f"--best without one: {told}")
    print("  export and sample take checkpoints/best with --best, and say so when there is none")


def refused(work):
    held = f"data.eval={work}/held.jsonl"
    with open(f"{work}/odd.jsonl", "w") as file:
        file.write('{"prompt": "ac:", "completion": "ca."}\n{"text": "ab"}\n')
    told = runs.train(CONFIG, f"{work}/odd", f"data.train={work}/odd.jsonl", held, expect=2)
    check("odd.jsonl:2: has no key" in told and '"instruction"' in told, f"a row of no form: {told}")
    with open(f"{work}/long.jsonl", "w") as file:
        file.write('{"prompt": "ac:", "completion": "ca."}\n{"prompt": "ac:", "completion": "' + 30 * "a" + '"}\n')
    told = runs.train(CONFIG, f"{work}/long", f"data.train={work}/long.jsonl", held, expect=2)
    check("long.jsonl:2: has 34 tokens" in told and "sft.overlong" in told, f"a long row: {told}")
    told = ponder("check", CONFIG, "--set", f"data.train={work}/long.jsonl", "--set", held, "--set", "sft.overlong=drop")
    check("1 of 2 rows are too long" in told, f"check of a long row: {told}")
    told = ponder("check", CONFIG, "--set", f"data.train={work}/train.jsonl", "--set", held)
    for part in ["3 epochs of about 48 rows: 15 steps", "learnt tokens each", "best eval/loss kept", "held-back loss: over 8 rows"]:
        check(part in told, f"check does not say '{part}':\n{told}")
    print("  rows of no form and rows too long are errors with file and line; check says what a run will do")


def main():
    work = tempfile.mkdtemp()
    try:
        write_data(work)
        calm = undisturbed(work)
        packed(work, calm)
        killed(work, calm)
        stopped(work)
        alarms(work, calm)
        left_out(work)
        mixed(work)
        best_is_used(work, calm)
        refused(work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
