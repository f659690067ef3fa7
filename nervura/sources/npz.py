"""NumPy archives: arrays of pictures, of series or of rows, and their answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nervura.errors import SourceError
from nervura.series import is_series
from nervura.sources.base import PICTURE, Source, Table, existing_file, has_ending, short_name

_PARTS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}


class NpzSource(Source):
    """Arrays ``x`` and ``y``, or ``x_train``, ``y_train``, ``x_test`` and ``y_test``, which are then the split.

    ``x`` holds pictures, (rows, height, width[, channels]), rows, (rows, columns), which become x0, x1, ..., or series
    (rows, length, channels) of numbers that are no brightness (``series.is_series``), which become a column of arrays for
    each channel; ``y``, which may be absent, is the target.
    """

    name = "npz"
    summary = "NumPy: FILE.npz with x and y, or x_train, y_train, x_test and y_test"

    def matches(self, source: Any) -> bool:
        return has_ending(source, (".npz",))

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        path = existing_file(source)
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
                arrays = {name.lower(): kept[name] for name in kept.files}
        except Exception as error:  # a damaged zip raises one of a dozen kinds
            raise SourceError(
                f"An .npz file holds arrays of numbers or text; '{path}' cannot be read: {error}. Save it again with "
                "numpy.savez(FILE, x=x, y=y)."
            ) from error
        parts = [part for part in _PARTS if f"x_{part}" in arrays]
        names = [f"_{part}" for part in parts] or [""]
        if names == [""] and "x" not in arrays:
            raise SourceError(
                f"An .npz file holds x and y, or x_train, y_train, x_test and y_test; '{path}' holds "
                f"{', '.join(arrays) or 'nothing'}. Save it again with numpy.savez(FILE, x=x, y=y)."
            )
        series = any(is_series(arrays[f"x{name}"]) for name in names)
        frames = [_frame(arrays[f"x{name}"], arrays.get(f"y{name}"), path.name, series) for name in names]
        if any(frame.schema != frames[0].schema for frame in frames):
            raise SourceError(f"The parts of a file have arrays of one shape and type; those of '{path}' differ.")
        if parts:
            frames = [frame.with_columns(part=pl.lit(_PARTS[part])) for frame, part in zip(frames, parts, strict=True)]
        frame = pl.concat(frames)
        split = "train" in parts and len(parts) > 1
        return Table(
            (frame if split or not parts else frame.drop("part")).lazy(),
            short_name(path),
            str(path),
            {"format": "npz"},
            target="y" if "y" in frame.columns else None,
            in_memory=True,
            pictures=PICTURE in frame.columns,
            part="part" if split else None,
        )


def _frame(x: np.ndarray, y: np.ndarray | None, file: str, series: bool) -> Any:
    import polars as pl

    y = y[:, 0] if y is not None and y.ndim == 2 and y.shape[1] == 1 else y
    if x.ndim not in (2, 3, 4) or (x.ndim == 4 and x.shape[3] > 4) or (y is not None and y.shape != x.shape[:1]):
        shapes = f"x {x.shape}" + (f" and y {y.shape}" if y is not None else "")
        raise SourceError(
            "Arrays have the shapes (rows, height, width[, channels]) of pictures, (rows, length, channels) of series or "
            "(rows, columns), and answers (rows,); "
            f"'{file}' has {shapes}."
        )
    columns: dict[str, Any] = {PICTURE: np.ascontiguousarray(x)}
    if x.ndim == 2:
        columns = {f"x{place}": x[:, place] for place in range(x.shape[1])}
    elif series:
        columns = {f"channel_{place}": np.ascontiguousarray(x[:, :, place]) for place in range(x.shape[2])}
    if y is not None:
        columns["y"] = y.astype(str) if y.dtype.kind == "U" else y
    return pl.DataFrame([pl.Series(name, values) for name, values in columns.items()])
