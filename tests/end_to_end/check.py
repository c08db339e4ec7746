"""`ponder check`: one clear line for each broken file, and silence of errors for the shipped ones."""
import glob
import os
import re
import resource
import subprocess

from runs import PONDER, fail

# file -> the line and key that the message must name
BROKEN = {
    "unknown_key": (21, "rollout.sample_per_prompt"),
    "wrong_type": (21, "rollout.prompts_per_step"),
    "group_of_one": (21, "rollout.samples_per_prompt"),
    "missing_file": (17, "data.train"),
    "missing_data_key": (17, "data.train"),
    "budget_too_small": (4, "run.memory_mb"),
    "unknown_reward": (21, "reward"),
    "template_mismatch": (22, "template.style"),
    "negative_value": (22, "optimizer.lr"),
    "conflicting_keys": (23, "loss.constant_length"),
}


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def check(file):
    """Exit code, text and processor time, which unlike wall time does not depend on what else the machine does."""
    start = processor_seconds()
    done = subprocess.run([PONDER, "check", file], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout, processor_seconds() - start


def broken_files():
    files = {os.path.basename(p)[:-5] for p in glob.glob("tests/rl/broken/*.toml")}
    if files != set(BROKEN):
        fail(f"tests/rl/broken holds {sorted(files)}, expected {sorted(BROKEN)}")
    for name, (line, key) in BROKEN.items():
        file = f"tests/rl/broken/{name}.toml"
        code, said, seconds = check(file)
        if code != 2 or len(said.splitlines()) != 1 or not said.startswith(f"{file}:{line}: {key}: ") or seconds > 2:
            fail(f"{file}: exit code {code} after {seconds:.1f} s; one line '{file}:{line}: {key}: ...' expected, got:\n{said}")
        print(f"    {seconds:4.2f} s  {said.strip()[len('tests/rl/broken/'):]}")


def shipped_files():
    code, said, _ = check("configs/quickstart.toml")
    if code != 0:
        fail(f"configs/quickstart.toml does not pass the check:\n{said}")
    code, said, _ = check("configs/gsm8k_smollm2.toml")
    if os.path.isdir("models/smollm2-135m"):
        if code != 0:
            fail(f"configs/gsm8k_smollm2.toml does not pass the check:\n{said}")
    elif code != 2 or not re.fullmatch(r"configs/gsm8k_smollm2.toml:\d+: model.path: .*\./ponder fetch smollm2-135m.*\n", said):
        fail(f"configs/gsm8k_smollm2.toml without its weights: one line that names `./ponder fetch smollm2-135m` expected, got:\n{said}")


def settings_page():
    page = open("configs/SETTINGS.md").read()
    table = subprocess.run([PONDER, "config", "table"], text=True, stdout=subprocess.PIPE, check=True).stdout
    if table.strip() not in page:
        fail("configs/SETTINGS.md is out of date; write it again with tests/support/write_settings_page.sh")


print("  ten broken files: one line each with file, line and key, exit code 2, under 2 s of processor time")
broken_files()
print("  the shipped files pass")
shipped_files()
print("  configs/SETTINGS.md is what `ponder config table` prints")
settings_page()
