"""The arithmetic of topics, against figures worked out by hand or by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from nervura import topical
from nervura.topical import Mixture


def test_mutual_information_and_purity_are_those_of_others():
    draw = np.random.default_rng(0)
    topics, labels = draw.integers(0, 5, 200), draw.integers(0, 3, 200)
    labels[topics == 2] = 1
    found = topical.table(topics, labels)
    assert topical.mutual_information(found) == pytest.approx(normalized_mutual_info_score(labels, topics))
    assert topical.purity(found) == pytest.approx(sum(np.bincount(labels[topics == t]).max() for t in range(5)) / 200)
    assert topical.mutual_information(topical.table(labels, labels)) == pytest.approx(1)


def test_coherence_is_one_of_words_always_together_and_minus_one_of_words_never():
    counts = np.array([[1, 2, 0, 0], [3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], np.uint8)
    assert topical.coherence(np.array([[0, 1]]), counts) == pytest.approx(1)
    assert topical.coherence(np.array([[2, 3]]), counts) == pytest.approx(-1)
    assert topical.diversity(np.array([[0, 1], [1, 2]])) == 0.75


def test_precision_counts_the_labels_of_the_nearest():
    codes = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 1]], np.float32)
    labels = np.array([0, 0, 1, 1, 0])
    found = topical.precisions(codes, labels, [1, 4])
    assert found[:4, 0].tolist() == [1, 1, 1, 1]
    assert found[0, 1] == pytest.approx(2 / 4) and found[2, 1] == pytest.approx(1 / 4)


def test_halves_share_no_word_and_make_the_whole():
    counts = np.random.default_rng(0).integers(0, 3, (20, 30)).astype(np.uint8)
    one, other = topical.halves(counts)
    assert not (one * other).any() and np.array_equal(one + other, counts)
    assert np.abs((one > 0).sum(1) - (other > 0).sum(1)).max() <= 1
    assert topical.found_again(np.eye(4), np.eye(4)).tolist() == [1, 1, 1, 1]
    assert topical.found_again(np.ones((4, 2)), np.ones((4, 2))).tolist() == [0.4] * 4


def test_a_mixture_finds_directions():
    draw = np.random.default_rng(0)
    centres = np.eye(3)
    rows = centres[draw.integers(0, 3, 300)] * draw.uniform(1, 9, (300, 1)) + 0.05 * draw.normal(size=(300, 3))
    found = Mixture.of(rows, 3)
    assert (found.centres @ centres.T).max(0) == pytest.approx(np.ones(3), abs=0.01)
    assert found(rows).sum(1) == pytest.approx(np.ones(300)) and found(rows).max(1).min() > 0.99
    assert found.shares.sum() == pytest.approx(1)
    assert len(Mixture.of(np.ones((9, 2)), 5).centres) == 1


def test_words_lead_the_topics_that_they_are_in():
    counts = np.array([[5, 0, 3], [4, 0, 3], [0, 6, 3], [0, 5, 3]], np.uint8)
    given = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], float)
    assert topical.leading(topical.words_of_topics(counts, given), 1).tolist() == [[0], [1]]
