"""Compares Ponder's chat templates with jinja2's, run as transformers' apply_chat_template does. See templates.sh."""
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import time

from transformers.utils import chat_template_utils

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "support"))
import template_cases  # noqa: E402
import template_grammar  # noqa: E402
from template_oracle import Oracle  # noqa: E402


def found_templates(folders):
    """Name -> text. Folders hold .jinja files, tokenizer_config.json files, or Python files that spell a template."""
    found = {}
    for folder in folders:
        for file in sorted(glob.glob(folder + "/**/*.jinja", recursive=True)):
            found[os.path.basename(file)] = open(file, encoding="utf-8", newline="").read()
        for file in sorted(glob.glob(folder + "/**/tokenizer_config.json", recursive=True)):
            template = json.load(open(file, encoding="utf-8")).get("chat_template")
            if isinstance(template, str):
                found[os.path.basename(os.path.dirname(file)) + "/tokenizer_config.json"] = template
        for file in glob.glob(folder + "/**/llama_chat_format.py", recursive=True):
            for line in open(file, encoding="utf-8"):
                name, _, value = line.partition(" = ")
                if name.endswith("_CHAT_TEMPLATE") and value.startswith('"'):
                    found[name.lower() + ".jinja"] = eval(value)
    return found


def ask(program, requests):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode("utf-8").split("\n")[:-1]]


TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


# One of each family that Ponder's users meet first: how its template is called, and the name under which we report it.
FAMILIES = {"Qwen2.5": "qwen2_5.jinja", "Qwen3": "qwen3.jinja", "Llama 3": "llama3.jinja", "SmolLM2": "smollm2-135m/tokenizer_config.json",
            "DeepSeek-R1": "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja", "Mistral": "mistralai-Mistral-Nemo-Instruct-2407.jinja"}


def speed(program, text, oracle, times=5000):
    """Microseconds of one rendering of two turns, ours and jinja2's with the template compiled before."""
    case = next(c for c in template_cases.CASES if c["name"] == "two turns")
    variables, _ = oracle.chat(text, case, TOKENS)
    request = json.dumps({"template": text, "variables": variables}) + "\n"
    done = subprocess.run([program, str(times)], input=request.encode(), capture_output=True, check=True)
    ours = float(re.search(r"[\d.]+", done.stderr.decode()).group())
    compiled = chat_template_utils._compile_jinja_template(text)
    start = time.process_time()
    for _ in range(times):
        compiled.render(**variables)
    return ours, (time.process_time() - start) / times * 1e6


def compare_real(program, folders):
    templates = found_templates(folders)
    table = {}
    oracle = Oracle()
    wrong = refused = same = failed_alike = 0
    clean = []
    for name, text in sorted(templates.items()):
        requests, wanted = [], []
        for case in template_cases.CASES:
            variables, answer = oracle.chat(text, case, TOKENS)
            requests.append({"template": text, "variables": variables, "spans": False})
            wanted.append(answer)
        problems = 0
        for case, want, got in zip(template_cases.CASES, wanted, ask(program, requests)):
            if "error" in want and "error" in got:
                failed_alike += 1
            elif "error" in got and "outside the supported part" in got["error"]:
                refused += 1
                problems += 1
                print(f"refused  {name}: {case['name']}: {got['error']}")
            elif got.get("text") != want.get("text"):
                wrong += 1
                problems += 1
                print(f"DIFFERS  {name}: {case['name']}\n  ours:   {got}\n  jinja2: {want}")
            else:
                same += 1
        if not problems:
            clean.append(name)
        table[name] = (sum("text" in w for w in wanted), problems)
    print(f"{len(templates)} templates x {len(template_cases.CASES)} conversations: {same} equal, {failed_alike} refused by both, "
          f"{refused} outside the supported part, {wrong} different; {len(clean)} templates equal throughout")
    print("| family | template | conversations | equal text | refused by both | different | ours, us | jinja2, us |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for family, name in FAMILIES.items():
        if name not in templates:
            sys.exit(f"no template of {family}: {name}")
        ours, theirs = speed(program, templates[name], oracle)
        shown, problems = table[name]
        cases = len(template_cases.CASES)
        print(f"| {family} | {name} | {cases} | {shown - problems} | {cases - shown} | {problems} | {ours:.1f} | {theirs:.1f} |")
    return wrong, {name: hashlib.sha256(templates[name].encode()).hexdigest() for name in clean}


def compare_random(program, count, seed):
    oracle = Oracle()
    requests = template_grammar.samples(count, seed)
    wrong = refused = failed_alike = same = unreached = 0
    for request, got in zip(requests, ask(program, requests)):
        want = oracle.render(request["template"], request["variables"])
        if "error" in want and "error" in got:
            failed_alike += 1
        elif "error" in got and any(part in got["error"] for part in template_grammar.REFUSALS):
            refused += 1
        elif "text" in got and want.get("error", "").startswith("TemplateAssertionError: No "):
            unreached += 1  # jinja2 looks for filters and tests before it runs, Ponder when it meets them
        elif got.get("text") != want.get("text"):
            wrong += 1
            if wrong <= 20:
                print(f"DIFFERS  {request['template']!r}\n  with {request['variables']}\n  ours:   {got}\n  jinja2: {want}")
        else:
            same += 1
    print(f"{count} random templates, seed {seed}: {same} equal, {failed_alike} refused by both, {refused} outside the supported part, "
          f"{unreached} name an unknown filter or test where they do not come by, {wrong} different")
    return wrong


if __name__ == "__main__":
    program, count = sys.argv[1], int(sys.argv[2])
    wrong, clean = compare_real(program, sys.argv[3:])
    for name, digest in clean.items():
        print(f"equal    {digest[:16]}  {name}")
    wrong += compare_random(program, count, int(os.environ.get("SEED", "1")))
    sys.exit(1 if wrong else 0)
