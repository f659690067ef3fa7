"""NumPy arrays, a pair (X, y) and a dict of one-dimensional arrays."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from nervura.errors import SourceError
from nervura.series import is_series
from nervura.sources.base import PICTURE, Source, Table, unique_names

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


class ArraySource(Source):
    """Columns are called x0, x1, ... and, for a pair, y, which is the target."""

    name = "array"
    summary = "NumPy: an array of rows, pictures or series, a pair (X, y), a dict of arrays"

    def matches(self, source: Any) -> bool:
        if isinstance(source, tuple):
            return len(source) == 2 and _is_array(source[0])
        if isinstance(source, Mapping):
            return all(_is_array(v) or isinstance(v, Sequence) and not isinstance(v, str) for v in source.values())
        return _is_array(source)

    def read(self, source: Any, table: str | None = None) -> Table:
        """Reads arrays of the shapes (n, columns), ((n, columns), (n,)) or {name: (n,)}.

        Raises:
            SourceError: other shapes, or lengths that differ.
        """
        import polars as pl

        notes: tuple[str, ...] = ()
        target = None
        if isinstance(source, Mapping):
            names, notes = unique_names(source)
            columns = dict(zip(names, (_column(values) for values in source.values()), strict=True))
            what = "a dict of arrays"
        elif isinstance(source, tuple):
            columns = _matrix(source[0])
            columns["y"] = _column(source[1])
            target, what = "y", "a pair of arrays (X, y)"
        else:
            columns = _matrix(source)
            what = "an array"
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise SourceError(f"All columns have the same number of rows; given were {lengths}.")
        if not lengths or not next(iter(lengths.values())):
            raise SourceError(f"A table has columns and rows; {what} without any was given.")
        frame = pl.DataFrame([_series(name, values) for name, values in columns.items()])
        reading = {"format": "array"}
        return Table(frame.lazy(), "array", what, reading, notes, target=target, in_memory=True)


def _is_array(value: Any) -> bool:
    # An array can only be given where NumPy is imported already.
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _matrix(array: np.ndarray) -> dict[str, np.ndarray]:
    """Shape (n, columns) -> columns of the shape (n,); an array with named fields, shape (n,), keeps its names; pictures,
    (n, height, width[, channels]), are one column, and series, (n, length, channels), one for each channel."""
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}
    if is_series(array):
        return {f"channel_{place}": array[:, :, place] for place in range(array.shape[2])}
    if array.ndim == 3 or array.ndim == 4 and array.shape[3] <= 4:
        return {PICTURE: array}
    if array.ndim != 2:
        raise SourceError(
            f"An array has the shape (rows, columns), of pictures (rows, height, width[, channels]), or of series "
            f"(rows, length, channels); given was {array.shape}. Write X.reshape(len(X), -1)."
        )
    return {f"x{place}": array[:, place] for place in range(array.shape[1])}


def _column(values: Any) -> np.ndarray:
    import numpy as np

    try:
        array = np.asarray(values, dtype=object if isinstance(values, Sequence) and None in values else None)
    except ValueError:
        raise SourceError("A column is an array of the shape (rows,); given was a list of unequal lists.") from None
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise SourceError(f"A column is an array of the shape (rows,); given was {array.shape}.")
    return array


def _series(name: str, values: np.ndarray) -> pl.Series:
    import numpy as np
    import polars as pl

    if values.dtype.kind != "O":
        kinds = {"f": np.float64 if values.dtype.itemsize not in (4, 8) else values.dtype}
        if values.dtype.kind in "mM":  # Polars knows fewer units of time than NumPy
            values = values.astype(f"{values.dtype.kind}8[us]")
        return pl.Series(name, np.ascontiguousarray(values, dtype=kinds.get(values.dtype.kind)), nan_to_null=True)
    plain = [None if value is None or isinstance(value, float) and isnan(value) else value for value in values.tolist()]
    try:
        return pl.Series(name, plain, strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        # Whole numbers beside fractions are numbers; anything else that is mixed can only be shown as text.
        if all(value is None or isinstance(value, (int, float)) for value in plain):
            return pl.Series(name, plain, dtype=pl.Float64, strict=False)
        return pl.Series(name, [None if value is None else str(value) for value in plain], dtype=pl.String)
