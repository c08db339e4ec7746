#!/usr/bin/env python3
"""Reads a result folder as tools for lm-evaluation-harness do, and complains about whatever they could not read.

Usage: read_lm_eval.py FOLDER

Written from lm-eval's description of its files (lm_eval/result_schema.py, lm_eval/loggers/evaluation_tracker.py, and the
table of lm_eval/utils.py); knows nothing of Ponder. Prints one line a task and metric, as lm-eval's own table has them.
"""
import glob
import hashlib
import json
import os
import re
import sys

DATE = r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d+"
problems = []


def need(condition, text):
    if not condition:
        problems.append(text)


def sha(text):
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def newest(folder):
    files = [f for f in glob.glob(os.path.join(folder, "results_*.json")) if re.search(rf"results_{DATE}\.json$", f)]
    if not files:
        sys.exit(f"{folder}: no results_DATE.json")
    return max(files)


def check_results(results):
    for key in ("results", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config"):
        need(isinstance(results.get(key), dict), f"{key} is not an object")
    need(isinstance(results.get("date"), float), "date is no float")
    need(isinstance(results.get("total_evaluation_time_seconds"), str), "total_evaluation_time_seconds is no text")
    for key in ("model_name", "model_name_sanitized", "model_source"):
        need(isinstance(results.get(key), str), f"{key} is no text")
    need("/" not in results.get("model_name_sanitized", ""), "model_name_sanitized has a slash")
    for task, values in results["results"].items():
        for table in ("configs", "versions", "n-shot", "higher_is_better", "n-samples", "group_subtasks", "task_hashes"):
            need(task in results[table], f"{table} lacks {task}")
        counts = results["n-samples"][task]
        need(counts["effective"] <= counts["original"], f"{task}: more problems were asked than there are")
        yield from table_rows(task, values, results["higher_is_better"][task])


def table_rows(task, values, higher):
    for key, value in values.items():
        if key == "alias":
            continue
        metric, comma, filter_name = key.partition(",")
        need(comma == "," and filter_name, f"{task}: the key {key} is not metric,filter")
        if metric.endswith("_stderr"):
            need(values.get(f"{metric[:-7]},{filter_name}") is not None, f"{task}: {key} has no metric")
            continue
        error = values.get(f"{metric}_stderr,{filter_name}")
        need(error is not None, f"{task}: {metric} has no _stderr")
        need(metric in higher, f"{task}: higher_is_better lacks {metric}")
        need(isinstance(value, (int, float)), f"{task}: {key} is {value!r}")
        yield task, filter_name, metric, value, error


def check_samples(file, task, count, hashes):
    with open(file, encoding="utf-8") as lines:
        samples = [json.loads(line) for line in lines]
    need(len(samples) == count, f"{file}: {len(samples)} lines, n-samples says {count}")
    ids = [s["doc_id"] for s in samples]
    need(ids == sorted(set(ids)), f"{file}: doc_id does not ascend")
    for s in samples:
        where = f"{task} {s['doc_id']}"
        for key in ("doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"):
            need(key in s, f"{where}: lacks {key}")
        prompt = s["arguments"]["gen_args_0"]["arg_0"]
        need(s["prompt_hash"] == sha(prompt), f"{where}: prompt_hash")
        need(s["target_hash"] == sha(str(s["target"])), f"{where}: target_hash")
        need(s["doc_hash"] == sha(json.dumps(s["doc"], indent=2, ensure_ascii=False)), f"{where}: doc_hash")
        need(isinstance(s["arguments"]["gen_args_0"]["arg_1"], dict), f"{where}: no generation settings")
        need(all(isinstance(text, str) for text in s["resps"][0]), f"{where}: resps")
        for metric in s["metrics"]:
            need(s.get(metric) is None or isinstance(s[metric], (int, float)), f"{where}: {metric}")
    need(hashes == sha("".join(s["doc_hash"] + s["prompt_hash"] + s["target_hash"] for s in samples)), f"{task}: task_hashes")
    return samples


def check_means(task, values, samples):
    """The value of a metric that the lines have is their mean."""
    for metric in samples[0]["metrics"]:
        lines = [s[metric] for s in samples if s[metric] is not None]
        mean = sum(lines) / len(lines) if lines else 0
        need(abs(values[f"{metric},none"] - mean) < 1e-9, f"{task}: {metric} is {values[metric + ',none']}, its lines say {mean}")


def main():
    folder = sys.argv[1]
    file = newest(folder)
    with open(file, encoding="utf-8") as text:
        results = json.load(text)
    rows = list(check_results(results))
    date = re.search(DATE, file).group()
    for task, values in results["results"].items():
        samples = check_samples(os.path.join(folder, f"samples_{task}_{date}.jsonl"), task, results["n-samples"][task]["effective"],
                                results["task_hashes"][task])
        check_means(task, values, samples)
    for task, filter_name, metric, value, error in rows:
        error = error if isinstance(error, str) else f"{error:.4f}"
        print(f"|{task}|{filter_name}|{metric}|{value:.4f}|± {error}|")
    if problems:
        sys.exit("\n".join(problems[:20]))


main()
