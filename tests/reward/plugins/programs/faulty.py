"""A reward that scores 1 when the truth is in the completion, and breaks when a completion asks for it: "[die]", "[hang]" ...

Arguments: group (it compares completions), one (no batches), most=N (max_batch), and faults of its start: dumb, exits, old, junk.
"""
import json
import os
import subprocess
import sys
import time

words = sys.argv[1:]
config = {}
request = {}


def say(message):
    sys.stdout.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
    sys.stdout.flush()


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.001)


def result_of(item):
    text = item["completion"]
    result = {"uid": item["uid"], "score": float(item["truth"] in text), "extracted": text[:5], "components": {"found": 1.0, "bad": None}}
    if "[pid]" in text:
        result["detail"] = str(os.getpid())
    if "[child]" in text:
        result["detail"] = str(subprocess.Popen(["sleep", "1000"]).pid)
    if "[request]" in text:
        result["detail"] = json.dumps({"items": len(request["items"]), "item": item, "deadline_ms": request["deadline_ms"], "config": config})
    if "[length]" in text:
        result["score"] = float(len(text))
    if "[skip]" in text:
        result["status"] = "skip"
    if "[error]" in text:
        result["status"] = "error"
        result["detail"] = "no disk"
    if "[status]" in text:
        result["status"] = "fine"
    if "[null]" in text:
        result["score"] = None
    if "[text]" in text:
        result["score"] = "1.0"
    if "[missing]" in text:
        del result["score"]
    if "[nan]" in text:
        result["score"] = float("nan")
    if "[meet" in text:  # "[meet FOLDER 0]" waits for "[meet FOLDER 1]" in another process, and the other way round
        folder, number = text.split("[meet ")[1].split("]")[0].split()
        open(f"{folder}/{number}", "w").close()
        wait_for(f"{folder}/{1 - int(number)}")
    return result


def answer(ask):
    text = " ".join(item["completion"] for item in ask["items"])
    if "[die]" in text:
        sys.stderr.write("out of cheese\n")
        os._exit(3)
    if "[signal]" in text:
        os.abort()
    if "[hang]" in text:
        time.sleep(1000)
    if "[junk]" in text:
        say("debug: scoring")
    if "[huge]" in text:
        sys.stdout.write("x" * (20 << 20))
        sys.stdout.flush()
    if "[bytes]" in text:
        sys.stdout.buffer.write(b'{"type":"result","id":1,"results":[{"detail":"\xff\xfe"}]}\n')
        sys.stdout.buffer.flush()
        return
    results = [result_of(item) for item in ask["items"]]
    if "[count]" in text:
        results = results[:-1]
    if "[order]" in text:
        results = results[::-1]
    if "[uid]" in text:
        results[0]["uid"] = "somebody"
    reply = {"type": "result", "id": ask["id"] + ("[id]" in text), "results": results}
    if "[list]" in text:
        reply = results
    if "[pong]" in text:
        reply["type"] = "pong"
    say(reply)
    if "[twice]" in text:
        say(reply)


if "exits" in words:
    sys.exit("no module named cheese")
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "hello":
        config = request["config"]
        if "dumb" in words:
            time.sleep(1000)
        if "junk" in words:
            say("loading the model ...")
        most = [int(word[5:]) for word in words if word.startswith("most=")] or [256]
        say({"type": "hello", "protocol": 2 if "old" in words else 1, "name": "faulty", "version": "7",
             "capabilities": {"batch": "one" not in words, "group": "group" in words, "max_batch": most[0]}})
    elif request["type"] == "ping":
        say({"type": "pong", "id": request["id"]})
    elif request["type"] == "score":
        answer(request)
    else:
        break
