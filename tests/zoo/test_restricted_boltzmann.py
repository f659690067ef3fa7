"""A restricted Boltzmann machine: its energies, and its gradient beside the exact one."""

from itertools import product

import keras
import numpy as np
import pytest

from nervura import backend, contracts, training
from nervura.designing import design
from nervura.layers.boltzmann import Gibbs, contrast, free_energy

VISIBLE, HIDDEN = 4, 3
DRAW = np.random.default_rng(0)
KERNEL = DRAW.normal(size=(VISIBLE, HIDDEN)).astype("float32")
HIDDEN_BIAS, VISIBLE_BIAS = (DRAW.normal(size=size).astype("float32") for size in (HIDDEN, VISIBLE))
MACHINE = (KERNEL, HIDDEN_BIAS, VISIBLE_BIAS)
BLOCKS = [("flags", [1] * VISIBLE)]
STATES = np.array(list(product([0.0, 1.0], repeat=VISIBLE)), "float32")


def energies(visible: np.ndarray) -> np.ndarray:
    """Of all pairs of states, (visible states, hidden states)."""
    hidden = np.array(list(product([0.0, 1.0], repeat=HIDDEN)))
    return -(visible @ KERNEL @ hidden.T + (hidden @ HIDDEN_BIAS)[None] + (visible @ VISIBLE_BIAS)[:, None])


def test_the_free_energy_takes_all_hidden_states_together() -> None:
    found = np.asarray(free_energy(STATES, *MACHINE, BLOCKS, gaussian=False))
    assert found == pytest.approx(-np.log(np.exp(-energies(STATES)).sum(1)), rel=1e-4)


def test_the_free_energy_of_normal_hidden_units_is_the_integral_over_them() -> None:
    """One hidden unit h of variance 1 around its bias: the integral of exp(-(h - b)^2 / 2 + v W h)."""
    kernel, bias, row = KERNEL[:, :1], HIDDEN_BIAS[:1], STATES[[5, 9]]
    grid = np.linspace(-30, 30, 200_001)
    sums = row @ kernel
    integral = np.log(np.trapezoid(np.exp(-0.5 * (grid - bias) ** 2 + sums * grid), grid, axis=1))
    wanted = -integral - row @ VISIBLE_BIAS
    found = np.asarray(free_energy(row, kernel, bias, VISIBLE_BIAS, BLOCKS, gaussian=True))
    assert found[0] - found[1] == pytest.approx(wanted[0] - wanted[1], rel=1e-3)


def gradient(rows: np.ndarray, gibbs: Gibbs, steps: int) -> np.ndarray:
    """That of ``contrast`` by the kernel, averaged over rows."""

    class Machine(keras.layers.Layer):
        def build(self, shape: object) -> None:
            self.kernel = self.add_weight(shape=KERNEL.shape, initializer="zeros", name="kernel")

        def call(self, visible: object) -> object:
            return contrast(visible, self.kernel, HIDDEN_BIAS, VISIBLE_BIAS, BLOCKS, gibbs, steps)

    inputs = keras.Input((VISIBLE,), name="rows")
    layer = Machine()
    model = keras.Model({"rows": inputs}, layer(inputs))
    layer.kernel.assign(KERNEL)
    mean = backend.gradient_function(model, lambda y, outputs: keras.ops.mean(outputs))
    return mean({"rows": rows}, np.zeros(len(rows)))[0]


def test_after_many_turns_the_gradient_is_that_of_the_likelihood() -> None:
    rows = STATES[DRAW.integers(0, 4, 20_000)]
    chances = np.exp(-np.asarray(free_energy(STATES, *MACHINE, BLOCKS, gaussian=False), "float64"))
    chances /= chances.sum()

    def hidden(visible: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(visible @ KERNEL + HIDDEN_BIAS)))

    # The likelihood's gradient is what rows make likely together less what the machine does; the loss falls against it.
    exact = STATES.T @ (chances[:, None] * hidden(STATES)) - rows.T @ hidden(rows) / len(rows)
    assert gradient(rows, Gibbs(1, chains=20_000, visible=VISIBLE), steps=30) == pytest.approx(exact, abs=0.015)
    one_turn = gradient(rows, Gibbs(1), steps=1)
    # Contrastive divergence is biased, but goes the same way.
    assert np.corrcoef(one_turn.ravel(), exact.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("options", [{}, {"persistent": True}, {"hidden_units": "gaussian", "steps": 3}])
def test_it_learns_to_rebuild_rows(options: dict[str, object]) -> None:
    dataset = contracts.unlabelled_example("embedding")
    how = {"latent_dim": 16, "epochs": 60, "batch_size": 16, "learning_rate": 0.01, **options}
    made = design(dataset.problem, "restricted_boltzmann", dataset.schema, how)
    fit = training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    losses = fit.history["val_loss"]
    assert min(losses) < 0.85 * losses[0]
