"""What a network learns without a target, and what is made of its answers, as the Python that does the same."""

from __future__ import annotations

import inspect
import itertools
from typing import TYPE_CHECKING, Any

from nervura import grouping, viewing
from nervura.code_text import assignment, collection_lines, import_line, inline, quoted, render
from nervura.data_source import LONG

if TYPE_CHECKING:
    from nervura.rebuilding import Layout

UNTOLD = ("model", "blocks", "seed", "seeds", "start")
"""What an objective is given besides what its code is to say: one seed for all is set where training begins."""


def objective_call(objective: Any) -> str:
    """The call that makes an objective for the variable ``model``."""
    given = ["model"]
    for parameter in inspect.signature(type(objective)).parameters.values():
        if parameter.name not in UNTOLD and (value := getattr(objective, parameter.name)) != parameter.default:
            given.append(f"{parameter.name}={inline(value)}")
    return f"{type(objective).__name__}({', '.join(given)})"


def phase_lines(phases: list[Any]) -> list[str]:
    """The constant that holds the phases of a training."""
    told = {one.name: (one.options.epochs, one.options.learning_rate, one.options.weight_decay) for one in phases}
    remark = "# Each phase with its epochs, its learning rate and its weight decay."
    return [remark, *assignment("PHASES", told)]


def anomaly_source(
    coding: dict[str, Any], layout: Layout, panel: list[tuple[str, str, str]], wide: bool, used: list[str]
) -> tuple[str, dict[str, Any]]:
    """The text of ``anomaly.py``, and what of it stands in ``columns.json``.

    Args:
        coding: of the problem.
        panel: of each detector its title, its class and what it looks at.
        wide: whether detectors look at rows along some axes alone.
        used: what is imported from ``detectors.py``.
    """
    features, numbers = [], []
    for block in layout.blocks:
        for label, size in zip(block.names, block.sizes, strict=True):
            column = label.partition(" › ")[0]
            features.append((column, size))
            if block.kind == "numbers" and label == column:
                numbers.append(column)
    members = [f"    {quoted(title)}: ({detector}(), {quoted(view)})," for title, detector, view in panel]
    long = coding["picture"] is None and len(features) > LONG
    told = {
        "picture": coding["picture"],
        "level": coding["level"],
        "imports": import_line("detectors", used),
        "panel": ["PANEL: dict[str, tuple[Detector, str]] = {", *members, "}"],
        "features": collection_lines("FEATURES = [", [inline(one) for one in features], "]", 0),
        "numbers": assignment("NUMBERS" if numbers else "NUMBERS: list[str]", numbers),
        "long": long,
        "wide": wide,
        "axes": viewing.AXES,
        "largest_scale": viewing.LARGEST_SCALE,
        "least_missed": viewing.LEAST_MISSED,
        "like": viewing.LIKE,
        "known_rows": viewing.KNOWN_ROWS,
        "learnt_rows": viewing.learnt_rows(layout.width),
    }
    return render("anomaly.py.j2", told), {"features": features, "numbers_of_reasons": numbers} if long else {}


def clustering_source(coding: dict[str, Any], layout: Layout, wide: bool, clusterer: str, used: list[str]) -> str:
    """The text of ``clustering.py``.

    Args:
        coding: of the problem.
        wide: whether rows are compared along some axes alone.
        clusterer: the class that groups them.
        used: what is imported from ``clusterers.py``.
    """
    sizes = [size for block in layout.blocks for size in block.sizes]
    several = coding["picture"] is None and max(sizes) > 1
    told = {
        "picture": coding["picture"],
        "view": coding["grouped"]["view"],
        "clusterer": clusterer,
        "clusters": coding["grouped"]["clusters"],
        "imports": import_line("clusterers", used),
        "sizes": _runs("SIZES", sizes) if several else [],
        "unit_words": "pixels all alike"
        if coding["picture"]
        else "numbers in their deviations" + (", the levels of a category together" if several else ""),
        "wide": wide,
        "axes": viewing.AXES,
        "largest_scale": viewing.LARGEST_SCALE,
        "learnt_rows": f"{grouping.grouped_rows(layout.width):_}",
        "known_rows": f"{grouping.KNOWN_ROWS:_}",
    }
    return render("clustering.py.j2", told)


def _runs(name: str, values: list[int]) -> list[str]:
    """The constant of a list, in which values that repeat are written once."""
    runs = [(value, len(list(group))) for value, group in itertools.groupby(values)]
    parts = [f"*[{value}] * {count}" if count > 3 else ", ".join([str(value)] * count) for value, count in runs]
    return collection_lines(f"{name} = [", parts, "]", 0)
