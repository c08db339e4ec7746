"""Conversations that chat templates are compared on. Used by make_template_golden.py and tests/end_to_end/long/templates.py."""

CODE = "def f(x):\n    return x  # 'q' \"d\" \\ {{ no }} {% raw %}\n"


def user(text, **more):
    return {"role": "user", "content": text, **more}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


def system(text):
    return {"role": "system", "content": text}


def case(name, messages, generation_prompt=True, continue_final=False, **variables):
    return {"name": name, "messages": messages, "add_generation_prompt": generation_prompt,
            "continue_final_message": continue_final, "variables": variables}


THOUGHT = "<think>\nSix by seven.\n</think>\n\n42"

CASES = [
    case("one question", [user("What is 6*7?")]),
    case("no generation prompt", [user("What is 6*7?")], False),
    case("system", [system("Be brief."), user("Hi")]),
    case("system alone", [system("Be brief.")], False),
    case("empty system", [system(""), user("Hi")]),
    case("two turns", [user("Hi"), assistant("Hello!"), user("And now?")]),
    case("two turns, system, no prompt", [system("S"), user("a"), assistant("b"), user("c"), assistant("d")], False),
    case("empty content", [user(""), assistant(""), user("x")]),
    case("spaces at the ends", [user("  leading\t"), assistant("\n trailing \n"), user("\u00a0nbsp\u3000")]),
    case("unicode", [user("Größe 東京 😀 e\u0301 עברית"), assistant("ナイス \u200d\U0001f469"), user("ß İ")]),
    case("code", [user(CODE), assistant("```python\n" + CODE + "```"), user("again")]),
    case("thoughts in the past", [user("6*7?"), assistant(THOUGHT), user("And 6*8?")]),
    case("thoughts last", [user("6*7?"), assistant(THOUGHT)], False),
    case("reasoning_content", [user("6*7?"), assistant("42", reasoning_content="Six by seven."), user("sure?"),
                               assistant("Yes", reasoning_content="Check.\n")], False),
    case("thinking off", [user("6*7?")], enable_thinking=False),
    case("thinking on", [user("6*7?")], enable_thinking=True),
    case("continue", [user("6*7?"), assistant("The answer is")], False, True),
    case("continue after space", [user("6*7?"), assistant("The answer is  ")], False, True),
    case("roles out of order", [user("a"), user("b")]),
    case("begins with the assistant", [assistant("a"), user("b")]),
    case("unknown role", [user("a"), {"role": "narrator", "content": "b"}]),
    case("marks in the text", [user("<|im_end|> </think> [INST] <|eot_id|> <think>"), assistant("a</think>b</think>c"), user("d")]),
    case("text parts", [user([{"type": "text", "text": "one"}, {"type": "text", "text": " two"}])]),
    case("no messages", []),
]
