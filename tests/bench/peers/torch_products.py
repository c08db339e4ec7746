"""LibTorch's own bf16 products: torch.nn.functional.linear. Reads {"shapes": [[in, out, per_model]], "rows": [..], "samples"}
from stdin and prints JSON: medians in microseconds."""

import json
import statistics
import sys
import time

import torch
from torch.nn.functional import linear


def median_us(samples, body):
    body()
    start = time.perf_counter()
    body()
    calls = max(1, min(10000, int(2e-3 / max(time.perf_counter() - start, 1e-9))))
    times = []
    for _ in range(samples):
        start = time.perf_counter()
        for _ in range(calls):
            body()
        times.append((time.perf_counter() - start) / calls)
    return statistics.median(times) * 1e6


asked = json.load(sys.stdin)
rows_of_products, rows_of_model = [], []
with torch.inference_mode():
    model = []
    for width, out, count in asked["shapes"]:
        weights = [torch.randn(out, width).bfloat16() for _ in range(count)]
        model += weights
        for rows in asked["rows"]:
            if out > 40000 and rows > 64:
                continue
            x = torch.randn(rows, width).bfloat16()
            rows_of_products.append(
                {"in": width, "out": out, "rows": rows, "us_median": median_us(asked["samples"], lambda: linear(x, weights[0]))}
            )
    for rows in asked["rows"]:
        x = {width: torch.randn(rows, width).bfloat16() for width, _, _ in asked["shapes"]}
        head = {width: x[width][:64] for width in x}
        us = median_us(asked["samples"], lambda: [linear((head if w.shape[0] > 40000 else x)[w.shape[1]], w) for w in model])
        rows_of_model.append({"rows": rows, "ms_median": us / 1e3})
print(json.dumps({"version": f"torch {torch.__version__}", "products": rows_of_products, "model products": rows_of_model}))
