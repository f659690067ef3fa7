"""The plain deep network: how columns enter it and what its options change."""

import numpy as np
import polars as pl
import pytest

from nervura import contracts, training
from nervura.dataset import Dataset
from nervura.designing import Design, design

DATASET = contracts.example(None)


def made(**options: object) -> Design:
    return design(DATASET.problem, "deep_feed_forward", DATASET.schema, options)


def types(model: Design) -> list[str]:
    return [type(layer).__name__ for layer in model.model.layers]


def test_numbers_enter_clipped_and_as_their_place_among_the_bins() -> None:
    new = made(bins=7)
    width = next(tensor.width for tensor in new.tensors if tensor.name == "numbers")
    assert new.model.get_layer("bins").output.shape == (None, 7 * width)
    assert "QuantileBins" not in types(made(bins=0))


def test_many_levels_enter_as_learnt_vectors() -> None:
    draw = np.random.default_rng(0)
    codes = draw.integers(0, 600, 8_000)
    worth = draw.normal(size=600)
    # The number keeps rows of one shop from being twins, which would all stay on one side of the split.
    noise = draw.normal(size=len(codes))
    frame = pl.DataFrame({"shop": [f"shop {code}" for code in codes], "noise": noise, "y": worth[codes]})
    dataset = Dataset.open(frame, "y", problem="regression")
    new = design(
        dataset.problem, "deep_feed_forward", dataset.schema, {"hidden": [32], "epochs": 20, "learning_rate": 0.01}
    )
    assert "LevelEmbedding" in types(new)
    fit = training.fit(new, dataset.arrays("train"), dataset.arrays("validation"))
    assert min(fit.history["val_loss"]) < 0.3


@pytest.mark.parametrize(
    ("options", "kind", "times"),
    [
        ({"normalization": "layer"}, "LayerNormalization", 2),
        ({"normalization": "batch"}, "BatchNormalization", 2),
        ({"blocks": "residual", "hidden": [16, 16, 16]}, "Add", 2),
        ({"dropout": 0.0}, "Dropout", 0),
        ({"dropout": 0.1}, "Dropout", 2),
    ],
)
def test_options_change_the_blocks(options: dict[str, object], kind: str, times: int) -> None:
    assert types(made(**options)).count(kind) == times
