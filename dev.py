"""The repository's own verbs. Each sets up what it needs in .venv first: python3 dev.py demo | test | lint | docs."""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
ON_ALL_BACKENDS = (
    "tests/test_backends.py",
    "tests/test_layers.py",
    "tests/zoo/test_tabm.py",
    "tests/zoo/test_realmlp.py",
)
IN_PARTS = (
    ("tests/baselines", "tests/clusterers", "tests/detectors", "tests/exporters"),
    ("tests/problems", "tests/sources", "tests/zoo"),
    tuple(sorted(str(path.relative_to(HERE)) for path in HERE.glob("tests/test_[a-l]*.py"))),
    tuple(sorted(str(path.relative_to(HERE)) for path in HERE.glob("tests/test_[m-z]*.py"))),
)
"""The suite in parts, each in processes of its own: TensorFlow gives no memory back between tests."""

KEPT_PROGRAMS = {
    "JAX_COMPILATION_CACHE_DIR": str(VENV / "jax-programs"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
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
    """Runs the whole suite on TensorFlow, then the smaller one on JAX and on PyTorch, each in its own process."""
    set_up("dev")
    lint([])
    pytest = [str(PYTHON), "-m", "pytest", "-n", "2", "--dist", "worksteal"]
    with tempfile.TemporaryDirectory() as folder:
        for part in [arguments] if arguments else IN_PARTS:
            run(*pytest, *part, KERAS_BACKEND="tensorflow", NERVURA_MADE_ONCE=folder, **ONE_CORE)
    if not arguments:
        for backend in ("jax", "torch"):
            run(*pytest, *ON_ALL_BACKENDS, KERAS_BACKEND=backend, **ONE_CORE, **KEPT_PROGRAMS)


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
