"""A mixture of as many Gaussians as the rows tell apart, of which those that overlap most are one cluster."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.clusterers.base import Clusterer, Gaussians

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

FORMS = ("spherical", "diag", "tied", "full")
"""Of the covariances: alike in all directions, along the columns, one for all Gaussians, one for each."""

WIDEST = 50
"""Rows of more values are tried with the first two forms alone: the others take long, and more rows than there are."""

TIMES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""So many times the clusters are tried as the number of Gaussians."""

ROWS_EACH = 10
"""So many rows at least for each of more Gaussians than there are clusters, and two for each number that it is told by."""

RIDGE = 1e-4
"""Added to each variance, as a share of the mean variance of the columns."""

STARTS, BEGINNINGS = ("kmeans", "random_from_data"), 3
COUNTED_ROWS, COUNTS, MISTAKEN = 4_000, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 24, 30, 36, 44, 52), 0.1
"""How many clusters there are is told by so many rows, of which so many Gaussians are tried; two groups are one cluster
where a larger share of the rows of one is taken for the other's."""

WORSE = 2
"""Where more Gaussians have been worse so often, no more are tried."""


class Mixture(Clusterer):
    """Gaussian mixtures with covariances of four forms and with as many Gaussians as there are clusters, or more; the Bayesian
    information criterion chooses. Where it takes more Gaussians than clusters, the two groups that are hardest to tell apart
    are joined until as many are left as are asked for.

    So clusters need not be Gaussian, and where they are it is a Gaussian mixture with the form of covariance that the rows
    call for.

    Sources: C. Fraley and A. Raftery, Model-Based Clustering, Discriminant Analysis, and Density Estimation, 2002; C. Hennig,
    Methods for Merging Gaussian Mixture Components, 2010 (directly estimated misclassification probabilities).
    """

    name = "mixture"
    summary = "as many Gaussians as the rows tell apart, those that overlap joined"
    fitted = Gaussians

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> Gaussians:
        rows = np.asarray(rows, dtype=np.float64)
        made = chosen(rows, clusters, seed)
        found = Gaussians(made.weights_, made.means_, _factors(made), np.arange(made.n_components))
        found.owners = joined(found.components(rows), clusters)
        return found

    def count(self, rows: np.ndarray, seed: int = 0) -> int:
        """As many groups as are left when those have been joined that are often taken for each other."""
        rows = np.asarray(_some(rows, COUNTED_ROWS), dtype=np.float64)
        made = chosen(rows, 1, seed, COUNTS)
        owners = joined(made.predict_proba(rows), 2, MISTAKEN)
        return max(2, int(owners.max()) + 1)


def chosen(rows: np.ndarray, least: int, seed: int, counts: Sequence[int] = ()) -> GaussianMixture:
    """The mixture of ``least`` Gaussians or more that the Bayesian information criterion likes best.

    Args:
        counts: how many Gaussians to try, ascending; by default a few multiples of ``least``.
    """
    not_counting = not counts
    counts = counts or sorted({max(least, round(times * least)) for times in TIMES} | {least + 1, least + 2})
    best: Any = None
    lowest = np.inf
    for form in FORMS if rows.shape[1] <= WIDEST else FORMS[:2]:
        last, worse = np.inf, 0
        for count in counts:
            first = (form, count) == (FORMS[0], counts[0])
            if not first and len(rows) < count * _needed(form, rows.shape[1], count > least):
                break
            made = _mixture(rows, count, form, count == least and not_counting, seed)
            if made is None:
                continue
            score = made.bic(rows)
            if score < lowest:
                best, lowest = made, score
            worse = worse + 1 if score > last else 0
            last = min(last, score)
            if worse >= WORSE:
                break
    assert best is not None, "spherical Gaussians can always be fitted"
    return best


def _numbers(form: str, width: int) -> int:
    """How many numbers tell a Gaussian of a form."""
    return width + {"spherical": 1, "diag": width, "tied": 0, "full": width * (width + 1) // 2}[form]


def _needed(form: str, width: int, more: bool) -> int:
    """How many rows each Gaussian of a form needs; more of them than there are clusters are tried with twice as many."""
    return max(ROWS_EACH, 2 * _numbers(form, width)) if more else _numbers(form, width)


def _mixture(rows: np.ndarray, count: int, form: str, thoroughly: bool, seed: int) -> GaussianMixture | None:
    """A mixture that begins as k-means or, to be thorough, the likeliest of some that also begin at random rows; None where
    none could be fitted."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    ridge = RIDGE * max(float(rows.var(0).mean()), 1e-12)
    found = []
    for start in STARTS if thoroughly else STARTS[:1]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            made = GaussianMixture(
                count,
                covariance_type=form,
                n_init=BEGINNINGS if thoroughly else 1,
                init_params=start,
                reg_covar=ridge,
                random_state=seed,
            )
            try:
                found.append(made.fit(rows))
            except ValueError:  # a covariance that is none, from rows that lie in a plane
                continue
    return max(found, key=lambda one: one.lower_bound_, default=None)


def _factors(made: GaussianMixture) -> np.ndarray:
    """Cholesky factors of the inverse covariances, whatever their form: (components, features, features)."""
    count, width = made.means_.shape
    factors = made.precisions_cholesky_
    if made.covariance_type == "full":
        return factors
    if made.covariance_type == "tied":
        return np.tile(factors, (count, 1, 1))
    diagonal = factors if made.covariance_type == "diag" else np.tile(factors[:, None], width)
    return diagonal[:, :, None] * np.eye(width)


def joined(shares: np.ndarray, clusters: int, border: float = 0.0) -> np.ndarray:
    """The cluster of each Gaussian (components,), from how probably each row is of each (rows, components).

    Those two groups are joined first of which the rows of one are most often taken for the other's.

    Args:
        clusters: so many are left at least.
        border: two groups of which fewer rows are mistaken stay apart.
    """
    groups = [[component] for component in range(shares.shape[1])]
    while len(groups) > clusters:
        taken = np.eye(len(groups))[shares.argmax(1)]
        mistaken = taken.T @ shares / np.maximum(shares.sum(0), 1e-12)
        mistaken = np.maximum(mistaken, mistaken.T)
        np.fill_diagonal(mistaken, -1.0)
        one, other = sorted(np.unravel_index(mistaken.argmax(), mistaken.shape))
        if mistaken[one, other] < border:
            break
        shares = shares.copy()
        shares[:, one] += shares[:, other]
        shares = np.delete(shares, other, 1)
        groups[one] += groups.pop(other)
    owners = np.empty(sum(map(len, groups)), np.int64)
    for place, components in enumerate(groups):
        owners[components] = place
    return owners


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: max(1, -(-len(rows) // most))]
