"""MiniRocket: its kernels are those of the paper, its output layer is the ridge regression that scikit-learn finds."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from nervura.encoding import Tensor
from nervura.problems.base import Head
from nervura.zoo.base import read_options
from nervura.zoo.minirocket import Minirocket

keras = pytest.importorskip("keras")

from nervura.layers.pooled_kernels import PooledKernels, dilations_for, kernels  # noqa: E402
from nervura.layers.ridge_members import ridge  # noqa: E402


def test_it_has_the_kernels_and_features_of_the_paper() -> None:
    """Dempster, Schmidt and Webb (KDD 2021), section 3: 84 kernels of length 9 with weights -1 and 2 that sum to zero, at
    most 32 dilations, 9,996 features."""
    found = kernels()
    assert found.shape == (9, 84) and set(found.ravel()) == {-1, 2}
    assert (found.sum(0) == 0).all() and len(np.unique(found, axis=1).T) == 84
    network = Minirocket()
    tensor = Tensor("series", "float32", ("series",), shape=(150, 1))
    head = Head(3, "softmax", "SparseCategoricalCrossentropy", {})
    model = network.build([tensor], head, read_options(network.Options, {"folds": 2, "epochs": 0}), seed=0)
    assert model.get_layer("kernels").output.shape == (None, 9_996)
    for length in (9, 24, 150, 4_096):
        dilations = dilations_for(length, 119)
        assert sum(count for _, count in dilations) == 119 and len(dilations) <= 32
        assert dilations[0][0] == 1 and (dilations[-1][0] * 8 <= length - 1 or length == 9)


def test_a_feature_is_the_share_of_moments_above_a_bias() -> None:
    x = np.random.default_rng(0).normal(size=(4, 40, 1)).astype("float32")
    x[1, 25:] = np.nan
    layer = PooledKernels(840, seed=0)
    layer(x)
    layer.adapt(x)
    shares, biases = (keras.ops.convert_to_numpy(v) for v in (layer(x), layer.biases))
    series, first = x[1, :25, 0], 0
    for place, (dilation, count) in enumerate(layer.dilations):
        for kernel in (0, 41):
            spread = np.zeros(8 * dilation + 1)
            spread[::dilation] = kernels()[:, kernel]
            answers = np.convolve(np.pad(series, 4 * dilation), spread[::-1], "valid")
            inside = answers[4 * dilation : len(answers) - 4 * dilation]
            answers = inside if (place + kernel) % 2 and len(inside) else answers
            expected = (answers > biases[first, kernel]).mean()
            assert shares[1, first * 84 + kernel] == pytest.approx(expected, abs=1.01 / len(answers))
        first += count


def test_the_first_weights_are_those_of_ridge_regression() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(40, 90))
    target = rows[:, 0] + 0.5 * draw.normal(size=40)
    weights, intercept = ridge(rows, target, classes=0)
    # The penalty that was chosen shows in the weights: they are those of scikit-learn for it.
    inner = rows - rows.mean(0)
    residual = target - target.mean() - inner @ weights[:, 0]
    penalty = float(np.mean((inner.T @ residual) / weights[:, 0]))
    other = Ridge(penalty).fit(rows, target)
    assert np.allclose(weights[:, 0], other.coef_, rtol=1e-4) and intercept[0] == pytest.approx(other.intercept_)
