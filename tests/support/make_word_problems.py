"""Writes arithmetic word problems as JSON lines: make_word_problems.py OUT COUNT [SEED]. Python's own library only.

Each is a short story of one or two steps over small numbers, with the answer as a whole number. Equal seeds give equal files.
"""
import json
import random
import sys

NAMES = ["Ana", "Ben", "Chen", "Dara", "Eli", "Fatima", "Goran", "Hana", "Ivo", "Jun"]
THINGS = ["apples", "pencils", "marbles", "stamps", "shells", "cards", "books", "coins"]


def gain(draw, name, thing):
    a, b = draw.randint(2, 20), draw.randint(2, 20)
    return f"{name} has {a} {thing} and gets {b} more. How many {thing} does {name} have now?", a + b


def loss(draw, name, thing):
    a = draw.randint(5, 25)
    b = draw.randint(1, a - 1)
    return f"{name} has {a} {thing} and gives {b} away. How many {thing} are left?", a - b


def boxes(draw, name, thing):
    a, b = draw.randint(2, 9), draw.randint(2, 9)
    return f"{name} has {a} boxes with {b} {thing} in each. How many {thing} are there in all?", a * b


def gain_and_loss(draw, name, thing):
    a, b = draw.randint(5, 20), draw.randint(2, 15)
    c = draw.randint(1, a + b - 1)
    return f"{name} has {a} {thing}, buys {b} more and then loses {c}. How many {thing} does {name} have now?", a + b - c


def shared(draw, name, thing):
    a, b = draw.randint(2, 6), draw.randint(2, 9)
    return f"{name} shares {a * b} {thing} equally among {a} friends. How many {thing} does each friend get?", b


KINDS = [gain, loss, boxes, gain_and_loss, shared]


def main(out, count, seed):
    draw, seen = random.Random(seed), set()
    with open(out, "w") as file:
        while len(seen) < count:
            question, answer = draw.choice(KINDS)(draw, draw.choice(NAMES), draw.choice(THINGS))
            if question not in seen:
                seen.add(question)
                file.write(json.dumps({"question": question, "answer": str(answer)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
