"""Finds the tools that Ponder is measured against, or builds them in the launcher's cache folder.

Environment: PONDER_PEER_LLAMA, a llama-batched-bench; PONDER_PEER_PYTHON, a Python with the packages of
peers/requirements.txt; PONDER_CACHE, the launcher's folder.
"""

import glob
import os
import re
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(os.environ.get("PONDER_CACHE") or os.path.join(base, "ponder"), "peers")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(*command):
    subprocess.run(command, check=True, stdout=sys.stderr)


def found(variable, default):
    path = os.environ.get(variable) or default
    return path if os.access(path, os.X_OK) else None


def llama():
    return found("PONDER_PEER_LLAMA", os.path.join(cache_folder(), "llama", "bin", "llama-batched-bench"))


def python():
    return found("PONDER_PEER_PYTHON", os.path.join(cache_folder(), "venv", "bin", "python"))


def llama_version(binary):
    """The version that it prints, and the package that its build folder was configured from."""
    said = subprocess.run([binary, "--version"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    version = re.search(r"version: (.*)", said)
    version = f"llama.cpp {version.group(1)}" if version else "llama.cpp"
    configured = os.path.join(os.path.dirname(os.path.dirname(binary)), "CMakeCache.txt")
    if os.path.exists(configured):
        package = re.search(r"llama_cpp_python-([\d.]+)/", open(configured).read())
        if package:
            version += f" of llama-cpp-python {package.group(1)}"
    return version


def install_llama():
    folder = cache_folder()
    say(f"building llama.cpp in {folder}; about 10 minutes on two cores")
    os.makedirs(folder, exist_ok=True)
    run(
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        folder,
        "llama-cpp-python",
    )
    newest = max(glob.glob(os.path.join(folder, "llama_cpp_python-*.tar.gz")), key=os.path.getmtime)
    with tarfile.open(newest) as archive:
        archive.extractall(folder)
    build = os.path.join(folder, "llama")
    run(
        "cmake",
        "-S",
        os.path.join(newest[: -len(".tar.gz")], "vendor", "llama.cpp"),
        "-B",
        build,
        "-G",
        "Ninja",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DGGML_NATIVE=ON",
        "-DLLAMA_CURL=OFF",
        "-DLLAMA_BUILD_TESTS=OFF",
        "-DLLAMA_BUILD_EXAMPLES=OFF",
        "-DLLAMA_BUILD_SERVER=OFF",
        "-DLLAMA_BUILD_UI=OFF",
        "-DLLAMA_BUILD_MTMD=OFF",
        "-DLLAMA_BUILD_TOOLS=ON",
    )
    run("ninja", "-C", build, "llama-batched-bench")


def install_python():
    venv = os.path.join(cache_folder(), "venv")
    say(f"installing torch, transformers and trl in {venv}; about 3 GB")
    base = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
    run(base, "-m", "venv", "--clear", venv)
    try:
        run(
            os.path.join(venv, "bin", "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            os.path.join(HERE, "requirements.txt"),
        )
    except subprocess.CalledProcessError:
        os.remove(os.path.join(venv, "bin", "python"))  # or the next run would take it for whole
        raise


def install():
    if not llama():
        install_llama()
    if not python():
        install_python()


def gguf(model):
    """The model's folder as a bf16 GGUF file, made once."""
    source = os.path.join(os.path.realpath(model), "model.safetensors")
    file = os.path.join(cache_folder(), f"{os.path.basename(os.path.dirname(source))}-bf16.gguf")
    if not os.path.exists(file) or os.path.getmtime(file) < os.path.getmtime(source):
        say(f"writing {file}")
        os.makedirs(cache_folder(), exist_ok=True)
        run(python(), os.path.join(HERE, "make_gguf.py"), model, file + ".part")
        os.replace(file + ".part", file)
    return file
