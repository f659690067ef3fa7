"""Scores of two groupings beside scikit-learn's, for weights too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_samples

from nervura import grouping

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=40)


@settings(max_examples=40, deadline=None)
@given(labels)
def test_scores_are_those_of_scikit_learn_and_weights_repeat_rows(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs).T
    times = np.random.default_rng(0).integers(1, 4, len(one))
    weights = np.stack([np.ones(len(one)), times])
    for own, theirs in (
        (grouping.adjusted_rand, adjusted_rand_score),
        (grouping.normalized_mutual_info, normalized_mutual_info_score),
    ):
        expected = [theirs(one, other), theirs(np.repeat(one, times), np.repeat(other, times))]
        assert own(one, other, weights) == pytest.approx(expected, abs=1e-9)


def test_clusters_are_matched_to_labels_as_fits_best() -> None:
    truth, found = np.array([0, 0, 0, 1, 1, 2]), np.array([2, 2, 0, 0, 0, 1])
    assert grouping.matched_accuracy(truth, found, np.ones((1, 6)))[0] == pytest.approx(5 / 6)
    # More clusters than labels: some match none.
    assert grouping.matched_accuracy(np.zeros(4, int), np.arange(4), np.ones((1, 4)))[0] == pytest.approx(1 / 4)


def test_silhouettes_of_new_rows_are_near_those_among_all_rows() -> None:
    draw = np.random.default_rng(0)
    groups = draw.integers(0, 3, 600)
    rows = draw.normal(size=(600, 2)) + 4 * np.eye(3)[groups][:, :2]
    own = grouping.silhouettes(rows[::2], groups[::2], rows[1::2], groups[1::2])
    expected = silhouette_samples(rows, groups)[::2]
    assert np.abs(own - expected).mean() < 0.05
    # Of a group that no known row has, nothing can be said.
    assert grouping.silhouettes(rows[:2], np.array([3, 3]), rows, groups).tolist() == [0.0, 0.0]
