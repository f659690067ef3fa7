"""Codes that are drawn: the closed form of their distance from the standard normal, and what it does to them."""

import numpy as np
import pytest

from nervura import contracts, training
from nervura.designing import design
from nervura.layers.normal_draw import NormalDraw, divergence

DATASET = contracts.unlabelled_example("embedding")


def test_the_distance_from_the_standard_normal_is_what_sampling_finds() -> None:
    mean, deviation = np.array([[0.7, -0.2]]), np.array([[0.5, 1.6]])
    draws = mean + deviation * np.random.default_rng(0).normal(size=(400_000, 2))
    of_own = -0.5 * ((draws - mean) / deviation) ** 2 - np.log(deviation)
    of_standard = -0.5 * draws**2
    sampled = (of_own - of_standard).sum(1).mean()
    found = np.asarray(divergence(mean, np.log(deviation**2)))
    assert found.shape == (1,) and found[0] == pytest.approx(sampled, rel=0.01)
    assert np.asarray(divergence(np.zeros((1, 2)), np.zeros((1, 2))))[0] == 0


def test_codes_are_drawn_in_training_alone() -> None:
    layer, mean = NormalDraw(seed=1), np.zeros((20_000, 1), "float32")
    drawn = np.asarray(layer([mean, np.full_like(mean, np.log(4.0))], training=True))
    assert drawn.std() == pytest.approx(2.0, rel=0.03)
    assert (np.asarray(layer([mean, mean], training=False)) == 0).all()


def test_the_dearer_the_distance_the_nearer_codes_are_to_zero() -> None:
    spreads = []
    for weight in (0.0, 20.0):
        options = {"latent_dim": 2, "hidden": [8], "epochs": 60, "learning_rate": 0.01, "divergence": weight}
        made = design(DATASET.problem, "variational_autoencoder", DATASET.schema, options)
        training.fit(made, DATASET.arrays("train"), DATASET.arrays("validation"))
        spreads.append(made.problem.layout.code(training.predict(made.model, DATASET.arrays("test")[0])).std())
    assert spreads[1] < 0.2 * spreads[0]
