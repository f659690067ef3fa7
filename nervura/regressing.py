"""Ridge regression of what comes after windows on what lies before them, drawn towards a plain forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PENALTIES = np.concatenate([np.logspace(-4, 2, 13), [1e12]])
"""In units of the mean spectrum; with the last one nothing is left but the plain forecast."""

BLOCKS, FEWEST = 5, 12
"""Rows are answered in so many blocks of time by regressions on the others, which have so many rows at least."""

MOST_ANSWERED, AT_ONCE = 4_000, 8_192
MANY = 1_000
"""With so many rows to learn from, later ones decide alone, where they are given."""

SURE = 20
"""With so many rows for each feature one plain forecast is as good as another."""

UNTRIED = 10.0
"""The penalty where rows are too few to try others."""


@dataclass
class Linear:
    """A linear map: ``rows @ weights + start``.

    Attributes:
        penalty: in units of the mean spectrum.
        loss: of rows that the regression had not seen, NaN where they were too few to tell.
    """

    weights: np.ndarray
    start: np.ndarray
    penalty: float
    loss: float

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return rows @ self.weights + self.start


def plain_forecasts(window: int, horizon: int, season: int, features: int) -> list[np.ndarray]:
    """What regressions are drawn towards, each (features, horizon): the last season again; the mean of the seasons in the
    window, at the level of the last; and the mean of both. Without a season the last value again."""
    steps = np.arange(horizon)
    last = np.zeros((features, horizon))
    last[window - season + steps % season, steps] = 1
    seasons = window // season
    if season == 1 or seasons < 2:
        return [last]
    mean = np.zeros((features, horizon))
    for back in range(seasons):
        mean[window - season * (back + 1) + steps % season, steps] += 1 / seasons
        # Each season around its own level; that of the last is zero.
        mean[window - season * (back + 1) : window - season * back] -= 1 / (seasons * season)
    return [last, mean, (last + mean) / 2]


def regress(
    rows: np.ndarray,
    wanted: np.ndarray,
    towards: list[np.ndarray],
    gap: int,
    squared: bool = True,
    held: tuple[np.ndarray, np.ndarray] | None = None,
) -> Linear:
    """The ridge regression under which rows are answered best that it has not seen.

    Penalty, what it is drawn towards, and whether there is an intercept are chosen together: by later rows or, of few rows to
    learn from, by blocks of time.

    Args:
        rows: in the order of time (rows, features).
        wanted: (rows, steps).
        gap: so many rows beside a block overlap with it, and take no part in answering it.
        squared: whether the squared or the absolute error decides.
        held: later rows and what is wanted of them.
    """
    count, features = rows.shape
    towards = towards[:1] if count > SURE * features else towards
    whole = _Moments.of(rows, wanted)
    asked: list[tuple[_Moments, np.ndarray, np.ndarray, int]] = []
    if held is not None and count >= MANY and len(held[0]):
        asked.append((whole, *_some(*held), len(held[0])))
    else:
        ends = np.linspace(0, count, BLOCKS + 1).astype(int)
        for a, b in zip(ends, ends[1:], strict=False):
            first, last = max(0, a - gap), min(count, b + gap)
            if count - (last - first) >= FEWEST:
                rest = whole.without(_Moments.of(rows[first:last], wanted[first:last]))
                asked.append((rest, *_some(rows[a:b], wanted[a:b]), int(b - a)))
    best = (np.nan, UNTRIED, 0, True)
    errors = np.zeros((2, len(towards), len(PENALTIES)))
    for rest, unseen, truth, size in asked:
        for centred in (0, 1):
            spectrum, axes, middle = rest.spectrum(bool(centred))
            turned = (unseen - middle) @ axes
            for number, plain in enumerate(towards):
                along, start = rest.along(axes, plain, bool(centred))
                base = unseen @ plain + start - truth
                for place, penalty in enumerate(PENALTIES):
                    missed = base + turned @ (along / (spectrum + penalty * spectrum.mean() + 1e-12)[:, None])
                    error = np.square(missed).mean() if squared else np.abs(missed).mean()
                    errors[centred, number, place] += error * size
    if asked:
        centred, number, place = map(int, np.unravel_index(errors.argmin(), errors.shape))
        seen = sum(size for *_, size in asked)
        best = (float(errors.min()) / seen, float(PENALTIES[place]), number, bool(centred))
    loss, penalty, number, centre = best
    spectrum, axes, middle = whole.spectrum(centre)
    along, start = whole.along(axes, towards[number], centre)
    change = axes @ (along / (spectrum + penalty * spectrum.mean() + 1e-12)[:, None])
    return Linear(towards[number] + change, start - middle @ change, penalty, loss)


def _some(rows: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    step = max(1, -(-len(rows) // MOST_ANSWERED))
    return rows[::step].astype(np.float64), wanted[::step].astype(np.float64)


@dataclass
class _Moments:
    """What a regression needs to know of rows: their number, sums and products."""

    count: int
    row_sum: np.ndarray
    wanted_sum: np.ndarray
    inner: np.ndarray
    outer: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, wanted: np.ndarray) -> _Moments:
        made = cls(
            0,
            np.zeros(rows.shape[1]),
            np.zeros(wanted.shape[1]),
            np.zeros((rows.shape[1], rows.shape[1])),
            np.zeros((rows.shape[1], wanted.shape[1])),
        )
        for start in range(0, len(rows), AT_ONCE):
            x, y = (part[start : start + AT_ONCE].astype(np.float64) for part in (rows, wanted))
            made.count += len(x)
            made.row_sum += x.sum(0)
            made.wanted_sum += y.sum(0)
            made.inner += x.T @ x
            made.outer += x.T @ y
        return made

    def without(self, other: _Moments) -> _Moments:
        return _Moments(*(getattr(self, name) - getattr(other, name) for name in self.__dataclass_fields__))

    def spectrum(self, centred: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenvalues, axes and the middle of the rows; zero unless they are ``centred``."""
        middle = self.row_sum / max(1, self.count) * centred
        values, axes = np.linalg.eigh(self.inner - self.count * np.outer(middle, middle))
        return np.maximum(values, 0.0), axes, middle

    def along(self, axes: np.ndarray, plain: np.ndarray, centred: bool) -> tuple[np.ndarray, np.ndarray]:
        """The products of the axes with what the plain forecast leaves, and the mean of that."""
        left = self.outer - self.inner @ plain
        start = (self.wanted_sum - self.row_sum @ plain) / max(1, self.count) * centred
        return axes.T @ (left - np.outer(self.row_sum, start)), start
