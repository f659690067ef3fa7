"""An autoencoder that sees a part of each row."""

import numpy as np
import polars as pl
import pytest

from nervura import training
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.layers.masked import Masked


def test_a_share_of_the_values_is_hidden_in_training_alone() -> None:
    rows = np.ones((500, 100), "float32")
    layer = Masked(0.3, seed=1)
    hidden = np.asarray(layer(rows, training=True))
    assert set(np.unique(hidden)) == {0.0, 1.0} and hidden.mean() == pytest.approx(0.7, abs=0.01)
    assert (np.asarray(layer(rows, training=False)) == 1).all()
    assert not np.array_equal(hidden, np.asarray(layer(rows, training=True)))


def test_it_fills_in_what_is_missing_better_than_one_that_saw_all() -> None:
    """Six numbers say the same with noise. Where one is missing, that is the mean, the others tell it."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(600, 1)) + 0.2 * draw.normal(size=(600, 6))
    dataset = Dataset.open(pl.DataFrame({f"x{i}": rows[:, i] for i in range(6)}), problem="embedding")
    x = dataset.arrays("test")[0]
    gaps = {"numbers": x["numbers"].copy()}
    gaps["numbers"][:, 0] = 0.0
    errors = []
    for network in ("denoising_autoencoder", "autoencoder"):
        made = design(
            dataset.problem,
            network,
            dataset.schema,
            {"latent_dim": 6, "hidden": [16], "epochs": 80, "learning_rate": 0.01},
        )
        training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
        whole, filled = (training.predict(made.model, rows) for rows in (x, gaps))
        layout = made.problem.layout
        errors.append(np.square(layout.rebuilt(filled)[:, 0] - layout.given(whole)[:, 0]).mean())
    assert errors[0] < 0.5 * errors[1]
