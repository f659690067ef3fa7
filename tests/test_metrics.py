"""The metrics against scikit-learn's, with weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from nervura import metrics


def of_named(name, truth, named, weights, classes):
    return getattr(metrics, name)(*metrics.counts(truth, named, weights, classes))


NAMED = ("accuracy", "balanced_accuracy", "f1", "f1_macro")


def score(name, truth, shares, weights):
    if name in NAMED:
        return of_named(name, truth, shares.argmax(1), weights, shares.shape[1])
    return getattr(metrics, name)(truth, shares, weights)


@st.composite
def classified(draw, most_classes):
    """Truth with every class present, probabilities with ties, and two sets of positive counts."""
    classes = draw(st.integers(2, most_classes))
    rows = draw(st.integers(classes, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate([np.arange(classes), generator.integers(classes, size=rows - classes)])
    steps = draw(st.sampled_from([3, 20, 10_000]))
    raw = generator.integers(1, steps + 1, size=(rows, classes)).astype(float)
    return truth, raw / raw.sum(1, keepdims=True), generator.integers(1, 5, size=(2, rows)).astype(float)


@settings(max_examples=60, deadline=None)
@given(classified(2))
def test_binary_metrics_are_those_of_scikit_learn(drawn):
    truth, shares, weights = drawn
    named, second = shares.argmax(1), shares[:, 1]
    for index, once in enumerate(weights):
        expected = {
            "log_loss": reference.log_loss(truth, shares, sample_weight=once),
            "roc_auc": reference.roc_auc_score(truth, second, sample_weight=once),
            "average_precision": reference.average_precision_score(truth, second, sample_weight=once),
            "accuracy": reference.accuracy_score(truth, named, sample_weight=once),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, named, sample_weight=once),
            "f1": reference.f1_score(truth, named, sample_weight=once, zero_division=0),
            "brier": reference.brier_score_loss(truth, second, sample_weight=once),
        }
        found = {name: score(name, truth, shares, weights)[index] for name in expected}
        assert found == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(classified(6))
def test_multiclass_metrics_are_those_of_scikit_learn(drawn):
    truth, shares, weights = drawn
    classes = shares.shape[1]
    if classes == 2:
        return
    named, codes = shares.argmax(1), np.arange(classes)
    for index, once in enumerate(weights):
        areas = [reference.roc_auc_score(truth == c, shares[:, c], sample_weight=once) for c in codes]
        expected = {
            "log_loss": reference.log_loss(truth, shares, sample_weight=once, labels=codes),
            "roc_auc": np.mean(areas),
            "accuracy": reference.accuracy_score(truth, named, sample_weight=once),
            "balanced_accuracy": reference.balanced_accuracy_score(truth, named, sample_weight=once),
            "f1_macro": reference.f1_score(truth, named, sample_weight=once, average="macro", zero_division=0),
            "brier": np.average(((shares - np.eye(classes)[truth]) ** 2).sum(1), weights=once),
        }
        found = {name: score(name, truth, shares, weights)[index] for name in expected}
        assert found == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 50), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e6]))
def test_metrics_of_values_are_those_of_scikit_learn(rows, seed, offset):
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=rows) + offset
    estimates = truth + generator.normal(size=rows)
    weights = generator.integers(1, 5, size=(2, rows)).astype(float)
    for index, once in enumerate(weights):
        expected = {
            "rmse": reference.root_mean_squared_error(truth, estimates, sample_weight=once),
            "mae": reference.mean_absolute_error(truth, estimates, sample_weight=once),
            "r2": reference.r2_score(truth, estimates, sample_weight=once),
        }
        found = {name: getattr(metrics, name)(truth, estimates, weights)[index] for name in expected}
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(classified(4))
@settings(max_examples=30, deadline=None)
def test_a_weight_is_a_number_of_copies(drawn):
    truth, shares, weights = drawn
    copies = np.repeat(np.arange(len(truth)), weights[0].astype(int))
    once = np.ones((1, len(copies)))
    for name in ("log_loss", "accuracy", "roc_auc", "f1_macro", "brier"):
        expected = score(name, truth[copies], shares[copies], once)
        assert score(name, truth, shares, weights[:1]) == pytest.approx(expected)


def test_what_is_not_defined_is_nan():
    truth, shares = np.zeros(4, int), np.full((4, 2), 0.5)
    once = np.ones((1, 4))
    assert np.isnan(metrics.roc_auc(truth, shares, once)).all()
    assert np.isnan(metrics.average_precision(truth, shares, once)).all()
    assert np.isnan(metrics.r2(np.ones(4), np.ones(4), once)).all()
    assert score("f1", truth, shares, once) == [0.0]
