"""Codes of which few numbers are other than zero."""

import numpy as np

from nervura import contracts, training
from nervura.designing import design
from nervura.layers.strongest import Strongest

DATASET = contracts.unlabelled_example("embedding")


def test_the_largest_numbers_of_each_row_are_kept() -> None:
    rows = np.array([[0.1, -3.0, 2.0, 1.0], [-1.0, -4.0, -2.0, -3.0]], "float32")
    assert np.asarray(Strongest(2)(rows)).tolist() == [[0.0, 0.0, 2.0, 1.0], [-1.0, 0.0, -2.0, 0.0]]


def test_codes_have_as_many_active_numbers_as_asked_for() -> None:
    options = {"latent_dim": 40, "active": 3, "hidden": [16], "epochs": 5}
    made = design(DATASET.problem, "sparse_autoencoder", DATASET.schema, options)
    training.fit(made, DATASET.arrays("train"), DATASET.arrays("validation"))
    code = made.problem.layout.code(training.predict(made.model, DATASET.arrays("test")[0]))
    assert ((code != 0).sum(1) == 3).all()


def test_by_rule_the_code_is_longer_than_the_row_and_a_tenth_of_it_is_active() -> None:
    made = design(DATASET.problem, "sparse_autoencoder", DATASET.schema)
    assert made.options.latent_dim == 2 * made.problem.layout.width
    assert made.options.active == round(0.2 * made.problem.layout.width)
    assert made.rule is not None and f"{made.options.active} of them other than zero" in made.rule
