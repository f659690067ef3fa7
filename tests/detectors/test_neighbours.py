"""Distances to neighbours are exact, and a row is not its own neighbour."""

import numpy as np
import pytest

from nervura.detectors import detectors
from nervura.detectors.base import Index


def test_the_score_is_the_mean_distance_to_the_ten_nearest() -> None:
    draw = np.random.default_rng(0)
    known, new = draw.normal(size=(50, 3)), draw.normal(size=(7, 3))
    distances = np.sort(np.linalg.norm(new[:, None] - known, axis=2), axis=1)
    assert detectors.load("neighbours").fit(known).score(new) == pytest.approx(distances[:, :10].mean(1))


@pytest.mark.parametrize("features", [3, 40])
def test_a_row_is_not_its_own_neighbour(features: int) -> None:
    known = 100 + np.random.default_rng(0).normal(size=(30, features))
    distances, numbers = Index(known).nearest(known, 2)
    exact = np.sort(np.linalg.norm(known[:, None] - known, axis=2), axis=1)
    assert distances == pytest.approx(exact[:, 1:3], rel=1e-6)
    assert not (numbers == np.arange(30)[:, None]).any()


def test_of_two_equal_rows_one_is_the_others_neighbour() -> None:
    known = np.array([[0.0], [0.0], [3.0]])
    assert Index(known).nearest(np.array([[0.0]]), 2)[0].tolist() == [[0.0, 3.0]]


def test_fewer_rows_than_neighbours_are_all_neighbours() -> None:
    assert Index(np.array([[0.0], [1.0]])).nearest(np.array([[5.0]]), 10)[0].shape[1] == 1
    assert np.isfinite(detectors.load("neighbours").fit(np.array([[0.0], [1.0]])).score(np.array([[5.0]]))).all()
