"""An autoencoder that sees pictures moved."""

from typing import Any

import numpy as np

from nervura import training
from nervura.dataset import Dataset
from nervura.designing import design


def crosses_and_squares(count: int, shift: int) -> np.ndarray:
    """Pictures of 12 x 12, a cross or the outline of a square in turn, near the middle."""
    draw, pictures = np.random.default_rng(shift), np.zeros((count, 12, 12), "uint8")
    for number, picture in enumerate(pictures):
        down, across = 3 + draw.integers(-shift, shift + 1, 2)
        thing = picture[down : down + 6, across : across + 6]
        if number % 2:
            thing[2:4], thing[:, 2:4] = 200, 200
        else:
            thing[[0, 5]], thing[:, [0, 5]] = 200, 200
    return pictures


def test_what_a_thing_is_counts_more_in_the_code_than_where_it_is() -> None:
    pictures = crosses_and_squares(200, 2)
    dataset = Dataset.open(pictures, problem="embedding")
    # How far the two kinds are apart, beside how far apart are those of a kind.
    apart = []
    options: dict[str, Any] = {"latent_dim": 4, "hidden": [32], "epochs": 40, "learning_rate": 0.01}
    for network, more in (("moving_autoencoder", {"shift": 2}), ("autoencoder", {})):
        made = design(dataset.problem, network, dataset.schema, {**options, **more})
        training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
        codes = made.problem.layout.code(training.predict(made.model, {"pictures": pictures[..., None]}))
        kinds = codes[::2], codes[1::2]
        between = np.linalg.norm(kinds[0].mean(0) - kinds[1].mean(0))
        apart.append(between / np.sqrt(sum(kind.var(0).sum() for kind in kinds)))
    assert apart[0] > 1.3 * apart[1]
