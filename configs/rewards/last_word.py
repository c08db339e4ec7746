#!/usr/bin/env python3
"""A reward: 1 if the last word of the completion is the last word of the gold. The protocol: reward/plugins/protocol.h."""
import json
import sys

def score(item):
    return float(item["completion"].split()[-1:] == item["truth"].split()[-1:])

for line in sys.stdin:
    ask = json.loads(line)
    if ask["type"] == "hello":
        answer = {"type": "hello", "protocol": 1, "name": "last_word", "version": "1"}
    elif ask["type"] == "score":
        answer = {"type": "result", "id": ask["id"], "results": [{"uid": i["uid"], "score": score(i)} for i in ask["items"]]}
    elif ask["type"] == "ping":
        answer = {"type": "pong", "id": ask["id"]}
    else:
        break  # shutdown
    print(json.dumps(answer), flush=True)
