"""A reward as a program: 1 if the text in <answer> is the gold. It fails as the file named by PONDER_JUDGE_PLAN says.

The plan: {"folder": where requests are counted over all workers, "faults": {"REQUEST": "die" | "hang" | "lie" | "slow" | "huge"},
"broken_from": REQUEST}. From `broken_from` on no worker answers or starts.
"""
import itertools
import json
import os
import sys
import time

plan = json.load(open(os.environ["PONDER_JUDGE_PLAN"])) if "PONDER_JUDGE_PLAN" in os.environ else {"faults": {}}


def number_of_request():
    """Counts from 1, over all workers."""
    for number in itertools.count(len(os.listdir(plan["folder"])) + 1):
        try:
            os.close(os.open(f"{plan['folder']}/{number}", os.O_CREAT | os.O_EXCL))
            return number
        except FileExistsError:
            pass


def score(item):
    _, _, after = item["completion"].rpartition("<answer>")
    inside, closed, _ = after.partition("</answer>")
    return float(closed != "" and inside.strip() == item["truth"])


def results_of(items):
    results = [{"uid": item["uid"], "score": score(item)} for item in items]
    if "folder" not in plan:
        return results
    number = number_of_request()
    fault = "die" if number >= plan.get("broken_from", 1 << 60) else plan["faults"].get(str(number))
    if fault == "die":
        os.kill(os.getpid(), 9)
    if fault == "hang":
        time.sleep(1000)
    if fault == "slow":
        time.sleep(0.3)
    if fault == "huge":  # finite, but no float32 holds it
        results[0]["score"] = 1e300
    return [{"uid": "x", "score": 1.0}] * (len(items) + 1) if fault == "lie" else results


if __name__ == "__main__":
    for line in sys.stdin:
        ask = json.loads(line)
        if ask["type"] == "hello":
            if "folder" in plan and len(os.listdir(plan["folder"])) >= plan.get("broken_from", 1 << 60):
                sys.exit("the judge is broken")
            answer = {"type": "hello", "protocol": 1, "name": "judge", "version": "1"}
        elif ask["type"] == "score":
            answer = {"type": "result", "id": ask["id"], "results": results_of(ask["items"])}
        elif ask["type"] == "ping":
            answer = {"type": "pong", "id": ask["id"]}
        else:
            break
        print(json.dumps(answer), flush=True)
