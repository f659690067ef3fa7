"""The repository's own verbs. Each sets up what it needs in .venv first: python3 dev.py demo | test | lint | docs."""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
ON_ALL_BACKENDS = (
    "tests/test_backends.py",
    "tests/test_layers.py",
    "tests/zoo/test_tabm.py",
    "tests/zoo/test_realmlp.py",
)
LONGEST = (
    ("jax", ("tests/test_backends.py",)),
    ("tensorflow", ("tests/test_docs.py",)),
    ("tensorflow", ("tests/test_shelves.py",)),
    ("tensorflow", ("tests/exporters",)),
    ("jax", ON_ALL_BACKENDS[1:]),
    ("tensorflow", ("tests/zoo",)),
    ("tensorflow", ("tests/problems",)),
    ("torch", ON_ALL_BACKENDS),
    ("tensorflow", ("tests/test_backends.py",)),
    ("tensorflow", ("tests/test_estimators.py",)),
    ("tensorflow", ("tests/test_workflow.py", "tests/test_cli.py")),
)
"""The parts of the suite that take longest, by backend: they begin first, so that no core waits for them in the end."""

OTHERS = 4
"""The other files are tested in so many processes, on TensorFlow, which gives no memory back between tests."""

AT_A_TIME = 2

KEPT_PROGRAMS = {
    "JAX_COMPILATION_CACHE_DIR": str(VENV / "jax-programs"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.05",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
}
"""JAX compiles a network that several tests train once, in whichever process comes first, and without polish."""

ONE_CORE = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
"""Two processes test at a time: threads that wait for each other would only take time from them."""

PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*command: str, **environment: str) -> None:
    print("$", " ".join(command), flush=True)
    status = subprocess.run(command, cwd=HERE, env={**os.environ, **environment}).returncode
    if status:
        sys.exit(status)


def set_up(extras: str) -> None:
    """Makes .venv and installs the package with ``extras``, once per set of extras and state of pyproject.toml."""
    mark = VENV / f"installed-{extras}"
    if mark.exists() and mark.read_text() == (HERE / "pyproject.toml").read_text():
        return
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    # The CPU build of PyTorch first: the plain package brings gigabytes for graphics cards.
    if extras == "dev":
        run(str(PYTHON), "-m", "pip", "install", "--quiet", "torch==2.13.0")
    run(str(PYTHON), "-m", "pip", "install", "--quiet", "--editable", f".[{extras}]")
    mark.write_text((HERE / "pyproject.toml").read_text())


def demo(arguments: list[str]) -> None:
    """Trains on a real table and prints the verdict and the path of the report."""
    set_up("tensorflow")
    run(str(PYTHON), "-m", "nervura", "train", "toy:breast_cancer", *arguments)


def test(arguments: list[str]) -> None:
    """Checks style and runs the whole suite on TensorFlow and the smaller one on JAX and on PyTorch, in several processes,
    two at a time; with files or options of pytest, runs these alone."""
    set_up("dev")
    with tempfile.TemporaryDirectory() as folder:
        on = {
            "tensorflow": {"KERAS_BACKEND": "tensorflow", "NERVURA_MADE_ONCE": folder, **ONE_CORE},
            "jax": {"KERAS_BACKEND": "jax", **ONE_CORE, **KEPT_PROGRAMS},
            "torch": {"KERAS_BACKEND": "torch", **ONE_CORE},
        }
        if arguments:
            run(
                str(PYTHON), "-m", "pytest", "-n", str(AT_A_TIME), "--dist", "worksteal", *arguments, **on["tensorflow"]
            )
            return
        failed: list[str] = []
        lock = threading.Lock()

        def told(command: list[str], environment: dict[str, str]) -> None:
            began = time.monotonic()
            how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            done = subprocess.run(command, cwd=HERE, env={**os.environ, **environment}, **how)
            name = " ".join([environment.get("KERAS_BACKEND", ""), *command[2:]]).strip()
            with lock:
                print(f"$ {name}\n{done.stdout.strip()}\n({time.monotonic() - began:.0f} s)\n", flush=True)
                failed.extend([name] if done.returncode else [])

        commands = [([str(PYTHON), "dev.py", "lint"], {})]
        commands += [([str(PYTHON), "-m", "pytest", *files], on[backend]) for backend, files in parts()]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for _ in pool.map(told, *zip(*commands, strict=True)):
                pass  # an error of a thread is raised here
    if failed:
        sys.exit("failed:\n" + "\n".join(failed))


def parts() -> list[tuple[str, tuple[str, ...]]]:
    """What one process tests, by backend, in the order in which they begin."""
    apart = [HERE / file for backend, files in LONGEST if backend == "tensorflow" for file in files]
    files = [file for file in sorted((HERE / "tests").rglob("test_*.py")) if not {file, *file.parents} & {*apart}]
    names = [str(file.relative_to(HERE)) for file in files]
    return [*LONGEST, *(("tensorflow", tuple(names[number::OTHERS])) for number in range(OTHERS))]


def lint(arguments: list[str]) -> None:
    """Checks style and types."""
    set_up("dev")
    run(str(PYTHON), "-m", "ruff", "check", ".")
    run(str(PYTHON), "-m", "ruff", "format", "--check", ".")
    run(str(PYTHON), "-m", "mypy")


def docs(arguments: list[str]) -> None:
    """Writes the generated parts of the documentation; with --check only compares them."""
    set_up("dev")
    run(str(PYTHON), "docs/generate.py", *arguments)


VERBS = {"demo": demo, "test": test, "lint": lint, "docs": docs}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    chosen, rest = parser.parse_known_args()
    VERBS[chosen.verb](rest)
