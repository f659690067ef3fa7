"""Series as numbers: what holds them, gaps, lengths, and the few numbers that plain models see of them.

A series is a row of moments at even steps, each with one value per channel. It comes as many columns of numbers, one a
moment, or as a column of arrays or lists. Missing values at its end mean that it is shorter than others; missing values
before that are gaps, and are filled along a straight line between their neighbours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.errors import SchemaError

if TYPE_CHECKING:
    import polars as pl

Encoding = dict[str, Any]
"""``length`` and ``channels`` of the tensor, ``mean_of`` so many neighbouring moments, ``origin`` and ``unit`` of each
channel, as JSON."""

LONGEST = 4_096
"""Of longer series the means of neighbouring moments are taken, as many as bring them below this."""

LIMIT = 1e6
"""Values are held to so many units of their spread."""

FEWEST_MOMENTS, ALIKE = 20, 2 / 3
"""Columns of an array are the moments of series where there are so many, and neighbours differ by less than this share of
what columns picked at random differ by. Measured: 0 to 0.65 in 31 archives of series, 0.67 to 1.3 in 16 of other rows."""

SEGMENTS, MOST_SEGMENTS = 64, 256
"""Plain models see the means of so many segments of each channel, and of all channels together no more than the second."""

SUMMARIES = ("mean", "deviation", "lowest", "highest")

ROWS_SEEN = 2_000


def is_series(x: np.ndarray) -> bool:
    """Whether an array (rows, length, channels) holds series: pictures are never darker than black, and have no gaps."""
    return x.ndim == 3 and x.dtype.kind == "f" and not bool(np.isfinite(x).all() and (x >= 0).all())


def are_moments(x: np.ndarray) -> bool:
    """Whether the columns of a matrix (rows, columns) are the moments of series: neighbours are alike, in units of their
    own deviations."""
    if x.shape[1] < FEWEST_MOMENTS or len(x) < 3:
        return False
    rows = x[:: max(1, len(x) // ROWS_SEEN)].astype(np.float64)
    known = np.isfinite(rows)
    middle = np.where(known, rows, 0).sum(0) / np.maximum(1, known.sum(0))
    rows = np.where(known, rows - middle, 0.0)
    rows /= np.maximum(1e-12, np.sqrt(np.square(rows).sum(0)))
    order = np.random.default_rng(0).permutation(rows.shape[1])
    neighbours, others = (
        1 - float((rows[:, places[1:]] * rows[:, places[:-1]]).sum(0).mean())
        for places in (np.arange(len(order)), order)
    )
    return neighbours < ALIKE * others


def is_nested(dtype: pl.DataType) -> bool:
    """Whether a column of such values holds series: arrays or lists of numbers, or of several numbers each."""
    import polars as pl

    if isinstance(dtype, pl.Array) and len(dtype.shape) > 2:
        return False
    if isinstance(dtype, pl.Array | pl.List):
        inner: Any = dtype.inner
        return inner.is_numeric() or (isinstance(inner, pl.Array | pl.List) and inner.inner.is_numeric())  # type: ignore[union-attr]
    return False


def gathered(frame: pl.DataFrame, channels: list[list[str]]) -> np.ndarray:
    """The values of the rows, float64 (rows, length, channels); what is missing or beyond a series' end is NaN.

    Args:
        channels: the columns of each channel: one a moment, or one that holds arrays or lists.
    """
    import polars as pl

    parts = []
    for names in channels:
        if len(names) == 1 and frame.schema[names[0]].is_nested():
            parts.append(_unnested(frame[names[0]]))
        else:
            numbers = frame.select(pl.col(name).cast(pl.Float64, strict=False) for name in names)
            parts.append(numbers.to_numpy().astype(np.float64)[:, :, None])
    longest = max(part.shape[1] for part in parts)
    parts = [np.pad(p, ((0, 0), (0, longest - p.shape[1]), (0, 0)), constant_values=np.nan) for p in parts]
    values = np.concatenate(parts, axis=2)
    return np.where(np.isfinite(values), values, np.nan)


def _unnested(column: pl.Series) -> np.ndarray:
    """A column of arrays or lists as (rows, length, channels)."""
    import polars as pl

    rows = len(column)
    if isinstance(column.dtype, pl.Array):
        column = column.cast(pl.List(column.dtype.inner))
    lengths = column.list.len().fill_null(0).to_numpy().astype(np.int64)
    steps = column.filter(pl.Series(lengths > 0)).explode()
    width = 1
    if steps.dtype.is_nested():
        if isinstance(steps.dtype, pl.Array):
            steps = steps.cast(pl.List(steps.dtype.inner))
        widths = steps.list.len().drop_nulls().unique().to_list()
        if len(widths) > 1:
            raise SchemaError(
                f"Every moment of a series has as many values as the others; those of '{column.name}' have "
                f"{', '.join(map(str, sorted(widths)))}. Write one column of lists for each channel."
            )
        width = int(widths[0]) if widths else 1
        # A moment that is missing has no values of its own.
        blank = pl.Series([[None] * width], dtype=steps.dtype)
        steps = steps.to_frame("m").select(pl.col("m").fill_null(pl.lit(blank).first())).to_series().explode()
    flat = steps.cast(pl.Float64, strict=False).to_numpy().reshape(-1, width)
    made = np.full((rows, max(1, int(lengths.max(initial=0))), width), np.nan)
    made[np.arange(made.shape[1]) < lengths[:, None]] = flat
    return made


def lengths_of(values: np.ndarray) -> np.ndarray:
    """The length of each series (rows,): up to the last moment of which a channel is known."""
    known = ~np.isnan(values).all(2)
    return np.where(known.any(1), values.shape[1] - known[:, ::-1].argmax(1), 0)


def measure(values: np.ndarray) -> Encoding:
    """The form of training series (rows, length, channels): the longest decides, and the spread of each channel."""
    lengths = lengths_of(values)
    longest = max(1, int(lengths.max(initial=1)))
    mean_of = -(-longest // LONGEST)
    origin, unit = [], []
    for channel in range(values.shape[2]):
        own = values[..., channel]
        known = own[~np.isnan(own)]
        middle, spread = (float(np.median(known)), float(known.std())) if len(known) else (0.0, 1.0)
        origin.append(middle)
        unit.append(spread if spread > 0 and math.isfinite(spread) else 1.0)
    return {
        "length": -(-longest // mean_of),
        "channels": values.shape[2],
        "mean_of": mean_of,
        "origin": origin,
        "unit": unit,
        "shortest": int(lengths.min(initial=longest)),
        "longest": longest,
        "gaps": _gaps(values, lengths),
    }


def _gaps(values: np.ndarray, lengths: np.ndarray) -> int:
    """How many values are missing before the end of their series."""
    inside = np.arange(values.shape[1]) < lengths[:, None]
    return int((np.isnan(values) & inside[..., None]).sum())


def encoded(values: np.ndarray, encoding: Encoding) -> np.ndarray:
    """Series in units of the spread around the median, float32 (rows, length, channels), NaN beyond their ends.

    Gaps are filled along straight lines. What is longer than the longest training series is cut.
    """
    if values.shape[2] != encoding["channels"]:
        raise SchemaError(
            f"Series have as many channels as in training, {encoding['channels']}; given were {values.shape[2]}."
        )
    mean_of, length = encoding["mean_of"], encoding["length"]
    values = values[:, : length * mean_of]
    values = np.pad(values, ((0, 0), (0, length * mean_of - values.shape[1]), (0, 0)), constant_values=np.nan)
    values = _filled(values)
    if mean_of > 1:
        blocks = values.reshape(len(values), length, mean_of, values.shape[2])
        known = ~np.isnan(blocks)
        counts = known.sum(2)
        sums = np.where(known, blocks, 0).sum(2)
        values = np.where(counts > 0, sums / np.maximum(1, counts), np.nan)
    scaled = (values - np.array(encoding["origin"])) / np.array(encoding["unit"])
    return np.clip(scaled, -LIMIT, LIMIT).astype(np.float32)


def _filled(values: np.ndarray) -> np.ndarray:
    """Series without gaps: NaN remains beyond the ends alone, for all channels of a moment."""
    lengths = lengths_of(values)
    inside = np.arange(values.shape[1]) < lengths[:, None]
    values, places = values.copy(), np.arange(values.shape[1])
    values[~inside] = np.nan
    for row, channel in np.argwhere((np.isnan(values) & inside[..., None]).any(1)):
        own = values[row, : lengths[row], channel]
        known = ~np.isnan(own)
        # A channel that is not known at all stands still.
        filled = np.interp(places[: len(own)], places[: len(own)][known], own[known]) if known.any() else 0.0
        values[row, : lengths[row], channel] = filled
    return values


def small(rows: np.ndarray) -> np.ndarray:
    """Encoded series as plain numbers, float32 (rows, ``small_width``): means of segments, summaries, the length."""
    count, length, channels = rows.shape
    segments = _segments(length, channels)
    known = ~np.isnan(rows)
    values = np.where(known, rows, 0).astype(np.float64)
    starts = np.arange(segments) * length // segments
    counts = np.add.reduceat(known.astype(np.float64), starts, axis=1)
    means = np.add.reduceat(values, starts, axis=1) / np.maximum(1, counts)
    number = np.maximum(1, known.sum(1))
    mean = values.sum(1) / number
    deviation = np.sqrt(np.maximum(0.0, np.square(values).sum(1) / number - mean**2))
    lowest = np.where(known, rows, np.inf).min(1)
    highest = np.where(known, rows, -np.inf).max(1)
    summaries = [mean, deviation, np.where(np.isfinite(lowest), lowest, 0), np.where(np.isfinite(highest), highest, 0)]
    share = known.any(2).mean(1)[:, None]
    return np.hstack([means.reshape(count, segments * channels), *summaries, share]).astype(np.float32)


def small_names(shape: tuple[int, ...]) -> list[str]:
    """What the numbers of ``small`` are, for series of the shape (length, channels)."""
    segments, channels = _segments(*shape), shape[1]
    names = [f"segment {place}, channel {channel}" for place in range(segments) for channel in range(channels)]
    names += [f"{summary}, channel {channel}" for summary in SUMMARIES for channel in range(channels)]
    return [*names, "length"]


def _segments(length: int, channels: int) -> int:
    return max(1, min(length, SEGMENTS, MOST_SEGMENTS // channels))
