"""The rules of the house: ground <- shelves <- spine <- doors, told from the import statements alone."""

import ast
import json
import os
import subprocess
import sys
import time
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

import nervura

PACKAGE = Path(nervura.__file__).parent
GROUND = {
    "errors",
    "schema",
    "packed",
    "run",
    "shelf",
    "backend",
    "parsing",
    "metrics",
    "encoding",
    "writing",
    "messages",
}
GROUND |= {
    "code_text",
    "model_source",
    "data_source",
    "targetless_source",
    "onnx_graph",
    "onnx_encoding",
    "onnx_catboost",
    "onnx_targetless",
}  # they write models and encodings as code or graphs and know no run
GROUND |= {"plots", "rebuilding"}  # drawings, and the layout of an autoencoder's outputs: they know no run
GROUND |= {"oddness", "viewing", "grouping"}  # what detectors and clusterers look at, and the arithmetic of both
GROUND |= {"topical"}  # the arithmetic of topics
GROUND |= {"steps", "windows", "regressing", "references"}  # series in time, and forecasts that need no network
GROUND |= {"sentences", "likeness"}  # texts as words, and how like texts are to others
GROUND |= {"words", "decoding"}  # documents as bags of words, and the encodings of files
GROUND |= {
    "pictures",
    "series",
    "texts",
}  # what is known of pictures, series and texts: the encoding and the sources ask it
SHELVES = {
    "sources",
    "problems",
    "zoo",
    "layers",
    "exporters",
    "baselines",
    "detectors",
    "clusterers",
    "trackers",
    "bodies",
}
GROUND |= {"serving_fields"}  # what a request may write in a column: it knows no run
DOORS = {"cli", "progress", "estimators"}
ENTRANCES = {"__init__", "__main__"}
"""The package itself and its command: they open the doors."""


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py")) if "templates" not in file.parts}


def imports(name: str) -> set[str]:
    """The modules of the package that a module imports, anywhere in it, other than for the type checker alone."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    own = {full.removeprefix("nervura.") for full in found if full.startswith("nervura.")}
    return own & set(MODULES)


def storey(name: str) -> int:
    first = name.partition(".")[0]
    if first in GROUND:
        return 0
    if first in SHELVES:
        return 1
    return 3 if first in DOORS or first in ENTRANCES else 2


INSIDE = [name for name in MODULES if name not in ENTRANCES]


def test_the_parts_named_here_exist() -> None:
    assert {name.partition(".")[0] for name in MODULES} >= GROUND | SHELVES | DOORS | ENTRANCES


@pytest.mark.parametrize("name", INSIDE)
def test_imports_run_downwards(name: str) -> None:
    upwards = {other for other in imports(name) if storey(other) > storey(name)}
    assert not upwards, f"{name} imports what stands above it"


@pytest.mark.parametrize("name", INSIDE)
def test_nothing_imports_a_door(name: str) -> None:
    # The progress display is part of the command line.
    doors = {other for other in imports(name) if storey(other) == 3}
    assert not doors or (name, doors) == ("cli", {"progress"})


def test_there_are_no_cycles() -> None:
    try:
        list(TopologicalSorter({name: imports(name) - {name} for name in MODULES}).static_order())
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", [name for name in INSIDE if storey(name) == 1 and "." in name])
def test_members_of_shelves_know_no_other_member(name: str) -> None:
    own = name.partition(".")[0]
    for other in imports(name):
        shelf, _, member = other.partition(".")
        shared = shelf in ("layers",) or member == "base" or member == ""
        assert storey(other) == 0 or shared or other == name, f"{name} imports {other}"
        assert not (own == "layers" and shelf != "layers" and storey(other) == 1), f"a layer imports {other}"


HEAVY = ("keras", "tensorflow", "jax", "torch", "polars", "sklearn", "pandas", "matplotlib", "jinja2", "rich", "PIL")


@pytest.mark.parametrize("words", [["-c", "import nervura"], ["-m", "nervura", "--help"]], ids=["import", "help"])
def test_starting_imports_nothing_heavy_and_is_quick(words: list[str]) -> None:
    told = (
        "import atexit, json, sys; atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr));"
        "import runpy; "
    )
    start = (
        "import nervura"
        if words[0] == "-c"
        else "sys.argv[1:] = ['--help']; runpy.run_module('nervura', alter_sys=True)"
    )
    done = subprocess.run([sys.executable, "-c", told + start], capture_output=True, text=True)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "nervura" in loaded
    assert not loaded & set(HEAVY)

    def seconds(command: list[str]) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        return time.perf_counter() - began

    bare = median(seconds(["-c", "pass"]) for _ in range(5))
    took = median(seconds(words) for _ in range(5))
    if os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1) or bare > 0.1:
        pytest.skip("the machine is too busy to be timed")
    assert took < 0.3
