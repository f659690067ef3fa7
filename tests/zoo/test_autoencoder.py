"""The deep autoencoder: sizes by rule, the loss of each kind of column, and principal components as its linear case."""

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import PCA

from nervura import contracts, training
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import OptionError
from nervura.layers.row_loss import rebuilding_loss

DATASET = contracts.unlabelled_example("embedding")


def test_a_linear_one_rebuilds_as_well_as_principal_components_of_its_length() -> None:
    """Baldi and Hornik, Neural Networks and Principal Component Analysis (1989): its least error is theirs."""
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(400, 3)) @ draw.normal(size=(3, 8)) + 0.3 * draw.normal(size=(400, 8))
    dataset = Dataset.open(pl.DataFrame({f"x{i}": rows[:, i] for i in range(8)}), problem="embedding")
    options = {"latent_dim": 3, "hidden": [8], "activation": "linear", "epochs": 300, "learning_rate": 0.01}
    made = design(dataset.problem, "autoencoder", dataset.schema, {**options, "schedule": "cosine", "patience": 300})
    training.fit(made, dataset.arrays("train"), dataset.arrays("train"))
    outputs = training.predict(made.model, dataset.arrays("train")[0])
    given = made.problem.layout.given(outputs).astype("float64")
    variances = np.linalg.eigvalsh(np.cov(given.T, bias=True))
    least = variances[:-3].sum()  # what the 3 largest components leave
    assert made.problem.layout.errors(outputs).sum(1).mean() == pytest.approx(least, rel=0.01)


def test_its_straight_path_begins_as_principal_components_and_never_does_worse() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(200, 2)) @ draw.normal(size=(2, 6)) + 0.2 * draw.normal(size=(200, 6))
    dataset = Dataset.open(pl.DataFrame({f"x{i}": rows[:, i] for i in range(6)}), problem="embedding")
    made = design(dataset.problem, "autoencoder", dataset.schema, {"latent_dim": 2, "epochs": 5})
    x, layout = dataset.arrays("train")[0], made.problem.layout
    made.network.prepare(made.model, x)
    outputs = training.predict(made.model, x)
    components = PCA(2).fit(layout.given(outputs))
    rebuilt = components.inverse_transform(components.transform(layout.given(outputs)))
    assert np.allclose(layout.rebuilt(outputs), rebuilt, atol=1e-4)
    training.fit(made, dataset.arrays("train"), dataset.arrays("train"))
    assert layout.errors(training.predict(made.model, x)).sum() < layout.errors(outputs).sum()


def test_a_straight_path_begins_with_the_shares_of_levels_and_flags() -> None:
    made = design(DATASET.problem, "autoencoder", DATASET.schema, {"latent_dim": 3})
    x, layout = DATASET.arrays("train")[0], made.problem.layout
    made.network.prepare(made.model, x)
    outputs = training.predict(made.model, x)
    mean = np.square(layout.given(outputs) - layout.given(outputs).mean(0)).sum(1).mean()
    assert layout.errors(outputs).sum(1).mean() < 0.8 * mean


def test_pictures_have_no_straight_path_unless_it_is_asked_for() -> None:
    pictures = Dataset.open(contracts.pictures_example(4).table.frame.drop("y").collect(), problem="embedding")
    for straight, found in (("auto", False), ("yes", True)):
        made = design(pictures.problem, "autoencoder", pictures.schema, {"straight": straight})
        assert ("code_straight" in {layer["name"] for layer in made.layers}) == found


def test_it_is_a_mirror_and_its_halves_are_named() -> None:
    made = design(DATASET.problem, "autoencoder", DATASET.schema, {"hidden": "9x7", "latent_dim": 2})
    layers = {layer["name"]: layer["output_shape"] for layer in made.layers}
    sizes = [layers[name][-1] for name in ("encoder_1", "encoder_2", "code", "decoder_2", "decoder_1", "decoded")]
    assert sizes == [9, 7, 2, 7, 9, made.problem.layout.width]
    assert made.model.output_shape == (None, made.problem.head().units)


def test_its_sizes_are_told_where_the_rule_made_them() -> None:
    made = design(DATASET.problem, "autoencoder", DATASET.schema)
    width = made.problem.layout.width
    assert made.options.latent_dim == round(width / 3)
    assert (
        made.rule
        == f"By rule a code of {round(width / 3)} and hidden layers of 64, 32 and 16, for {width} values a row."
    )


def test_numbers_are_given_in_units_of_their_deviation_and_levels_one_by_one() -> None:
    made = design(DATASET.problem, "autoencoder", DATASET.schema)
    made.network.prepare(made.model, DATASET.arrays("train")[0])
    outputs = training.predict(made.model, DATASET.arrays("train")[0])
    layout = made.problem.layout
    given = layout.given(outputs)
    numbers = given[:, : layout.blocks[0].width]
    assert np.allclose(numbers.mean(0), 0, atol=1e-5) and np.allclose(numbers.std(0), 1, atol=1e-3)
    assert np.allclose(given[:, -layout.blocks[-1].sizes[-1] :].sum(1), 1)
    assert np.allclose(layout.rebuilt(outputs)[:, -layout.blocks[-1].sizes[-1] :].sum(1), 1, atol=1e-5)


def test_the_loss_of_a_row_is_that_of_its_columns_by_kind() -> None:
    blocks = [("numbers", [1, 1]), ("flags", [1]), ("levels", [3]), ("pixels", [2])]
    given = np.array([[0.5, -1.0, 1.0, 0.0, 1.0, 0.0, 0.25, 1.0]])
    sums = np.array([[0.0, 1.0, 2.0, 0.0, 1.0, -1.0, 0.0, 3.0]])
    share = 1 / (1 + np.exp(-sums))
    levels = np.exp(sums[0, 3:6]) / np.exp(sums[0, 3:6]).sum()
    tables = 0.25 + 4 - np.log(share[0, 2]) - np.log(levels[1])
    pixels = ((given - share)[0, 6:] ** 2).sum()
    assert np.asarray(rebuilding_loss(given, sums, blocks)) == pytest.approx([tables + pixels], rel=1e-5)
    crossed = -(given * np.log(share) + (1 - given) * np.log(1 - share))[0, 6:].sum()
    found = rebuilding_loss(given, sums, blocks, "cross_entropy")
    assert np.asarray(found) == pytest.approx([tables + crossed], rel=1e-5)


def test_it_answers_no_problem_that_has_a_target_nor_do_others_one_without() -> None:
    labelled = contracts.example(2)
    with pytest.raises(OptionError, match="answers the problems embedding, and this one is binary"):
        design(labelled.problem, "autoencoder", labelled.schema)
    with pytest.raises(OptionError, match="autoencoder"):
        design(DATASET.problem, "tabm", DATASET.schema)


ODD = Dataset.open(np.random.default_rng(0).integers(0, 256, (60, 11, 14, 3), dtype=np.uint8), problem="embedding")


@pytest.mark.parametrize("network", ["autoencoder", "denoising_autoencoder", "variational_autoencoder"])
def test_convolutions_lead_to_the_code_of_pictures_and_back_whatever_their_sides(network: str) -> None:
    options = {"convolutional": "yes", "filters": "4,6", "latent_dim": 5, "epochs": 2, "shift": 1}
    made = design(ODD.problem, network, ODD.schema, options)
    layers = {layer["name"]: tuple(layer["output_shape"][1:]) for layer in made.layers}
    down = [layers[f"convolution_{number}"] for number in (1, 2)]
    assert (
        down == [(6, 7, 4), (3, 4, 6)] and layers["maps_of_code"] == (3, 4, 6) and layers["decoded"] == (11 * 14 * 3,)
    )
    fit = training.fit(made, ODD.arrays("train"), ODD.arrays("validation"))
    assert fit.history["val_loss"][1] < fit.history["val_loss"][0]
    given = made.problem.layout.given(training.predict(made.model, ODD.arrays("test")[0]))
    assert np.allclose(given, ODD.arrays("test")[0]["pictures"].reshape(len(given), -1) / 255, atol=1e-6)


def test_convolutions_are_refused_where_they_cannot_be() -> None:
    with pytest.raises(OptionError, match="these data are a table"):
        design(DATASET.problem, "autoencoder", DATASET.schema, {"convolutional": "yes"})
    with pytest.raises(OptionError, match="Leave one of both out"):
        design(ODD.problem, "autoencoder", ODD.schema, {"convolutional": "yes", "straight": "yes"})
