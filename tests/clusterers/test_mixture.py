"""A mixture whose parts are joined, beside one Gaussian for each cluster."""

import numpy as np
import pytest

from nervura.clusterers import clusterers
from nervura.clusterers.mixture import joined


def test_a_mixture_with_joined_parts_finds_groups_that_are_no_ellipses() -> None:
    """Two half moons: a Gaussian for each cannot part them."""
    turn = np.linspace(0, np.pi, 400)
    moons = np.vstack([np.c_[np.cos(turn), np.sin(turn)], np.c_[1 - np.cos(turn), 0.4 - np.sin(turn)]])
    truth = np.repeat([0, 1], 400)
    noisy = moons + 0.07 * np.random.default_rng(0).normal(size=moons.shape)

    def right(name: str) -> float:
        found = clusterers.load(name).fit(noisy, 2).probabilities(noisy).argmax(1)
        return max(np.mean(found == truth), np.mean(found != truth))

    assert min(right("mixture"), right("neighbour_graph")) > 0.98 > right("gaussian_mixture")


def test_the_groups_that_are_most_often_taken_for_each_other_are_joined_first() -> None:
    shares = np.array([[0.9, 0.1, 0.0, 0.0], [0.4, 0.6, 0.0, 0.0], [0.0, 0.0, 0.8, 0.2], [0.0, 0.0, 0.0, 1.0]])
    assert joined(shares, 3).tolist() == [0, 0, 1, 2]
    assert joined(shares, 2).tolist() == [0, 0, 1, 1]
    # With a border, no more are joined than are mistaken.
    assert joined(shares, 1, border=0.9).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("clusters", [2, 3, 4])
def test_it_counts_groups_that_are_apart(clusters: int) -> None:
    draw = np.random.default_rng(0)
    places = 8 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[draw.integers(0, clusters, 400)]
    assert clusterers.load("mixture").count(draw.normal(size=(400, 2)) + places) == clusters
