"""The small tables that come with scikit-learn, for first steps and tests."""

from __future__ import annotations

from typing import Any

from nervura.errors import MissingDependency, SourceError, did_you_mean
from nervura.sources.base import Source, Table, as_text

_TARGETS = {
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
    "digits": "digit",
    "iris": "species",
    "wine": "cultivar",
}


class ToySource(Source):
    """``toy:NAME``; class labels are words (strings), the target is known."""

    name = "toy"
    summary = "toy:NAME (" + ", ".join(_TARGETS) + ")"

    def matches(self, source: Any) -> bool:
        return (as_text(source) or "").startswith("toy:")

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        text = as_text(source) or ""
        name = text.removeprefix("toy:").strip()
        if name not in _TARGETS:
            raise SourceError(
                f"A toy table is one of scikit-learn's small ones; given was '{text}'. {did_you_mean(name, list(_TARGETS))}"
            )
        try:
            from sklearn import datasets
        except ImportError:
            raise MissingDependency(f"Reading '{text}'", "scikit-learn", "toy") from None
        # The diabetes table is scaled to unit columns by default, which hides that they are ages and pressures.
        bunch = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
        columns = {str(column): bunch.data[:, place] for place, column in enumerate(bunch.feature_names)}
        target = _TARGETS[name]
        if name == "diabetes":
            columns[target] = bunch.target
        else:
            columns[target] = [str(bunch.target_names[code]) for code in bunch.target]
        frame = pl.DataFrame(columns)
        return Table(frame.lazy(), name, f"toy:{name}", {"format": "toy", "name": name}, target=target, in_memory=True)
