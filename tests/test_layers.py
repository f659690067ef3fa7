"""Facts about the layers that hold for any data; that all backends compute them alike is tested in test_backends.py."""

from typing import Any

import numpy as np
import pytest

from nervura.layers.bin_embedding import BinEmbedding
from nervura.layers.cos_log_rate import CosLogRate
from nervura.layers.feature_scale import FeatureScale
from nervura.layers.few_levels import FewLevels
from nervura.layers.group_dense import GroupDense
from nervura.layers.grouped import Grouped
from nervura.layers.level_embedding import LevelEmbedding
from nervura.layers.lookahead import Lookahead
from nervura.layers.member_loss import MemberLoss
from nervura.layers.member_mean import MemberMean
from nervura.layers.member_outputs import MemberOutputs
from nervura.layers.member_scale import MemberScale
from nervura.layers.moved import Moved
from nervura.layers.one_hot import OneHot
from nervura.layers.partial_activation import PartialActivation
from nervura.layers.periodic_embedding import PeriodicEmbedding
from nervura.layers.quantile_bins import QuantileBins
from nervura.layers.robust_scale import RobustScale
from nervura.layers.smooth_clip import SmoothClip
from nervura.layers.stable_decay_rate import StableDecayRate
from nervura.layers.swapped import Swapped
from nervura.layers.tangent_dense import TangentDense
from nervura.layers.tangent_outputs import TangentOutputs
from nervura.layers.triangular_rate import TriangularRate

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)


def numbers_of(outputs: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(outputs))


CODES = DRAW.integers(0, 3, (6, 2)).astype("int32")
NUMBERS = DRAW.normal(size=(6, 2)).astype("float32")
LAYERS = [
    (LevelEmbedding([3, 4], [2, 1], seed=1), CODES),
    (OneHot([3, 4]), CODES),
    (QuantileBins(5), NUMBERS),
    (SmoothClip(2.0), NUMBERS),
]


@pytest.mark.parametrize(("layer", "inputs"), LAYERS, ids=lambda value: getattr(value, "name", None))
def test_a_layer_is_made_again_from_its_configuration(layer: Any, inputs: np.ndarray) -> None:
    outputs = numbers_of(layer(inputs))
    again = type(layer).from_config(layer.get_config())
    again.build(inputs.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(numbers_of(again(inputs)), outputs)
    assert layer.compute_output_shape((None, *inputs.shape[1:])) == (None, *outputs.shape[1:])
    name = keras.saving.get_registered_name(type(layer))
    assert name == f"nervura>{type(layer).__name__}"


def test_smooth_clip_is_the_identity_near_zero_odd_and_bounded() -> None:
    clip = SmoothClip(3.0)
    x = np.array([[1e-3, 1.0, -1.0, 1e6]], dtype="float32")
    expected = [[1e-3, 1 / np.sqrt(1 + 1 / 9), -1 / np.sqrt(1 + 1 / 9), 3.0]]
    np.testing.assert_allclose(numbers_of(clip(x)), expected, rtol=1e-6)


def piecewise_linear(x: float, edges: np.ndarray) -> list[float]:
    """The encoding as equation (1) of Gorishniy et al. (2022) defines it, bounded at both ends."""
    parts = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        parts.append(0.0 if x < low else 1.0 if x >= high else (x - low) / (high - low))
    return parts


def test_quantile_bins_are_the_piecewise_linear_encoding_of_the_paper() -> None:
    seen = DRAW.exponential(size=(200, 1))
    layer = QuantileBins(4)
    layer.build((None, 1))
    layer.adapt(seen)
    edges = np.quantile(seen, np.linspace(0, 1, 5))
    asked = np.array([-1.0, edges[0], edges[1], 0.3, 0.9, edges[-1], 99.0], dtype="float32")
    expected = [piecewise_linear(x, edges) for x in asked]
    np.testing.assert_allclose(numbers_of(layer(asked[:, None])), expected, atol=1e-5)


def test_quantile_bins_of_few_values_leave_the_surplus_at_zero() -> None:
    layer = QuantileBins(4)
    layer.build((None, 2))
    layer.adapt(np.column_stack([np.repeat([0.0, 2.0], [51, 50]), np.ones(101)]))
    encoded = numbers_of(layer(np.array([[1.0, 1.0], [5.0, 7.0]], dtype="float32"))).reshape(2, 2, 4)
    np.testing.assert_allclose(encoded[:, 0], [[0.5, 0, 0, 0], [1, 0, 0, 0]], atol=1e-6)
    assert not encoded[:, 1].any(), "a constant column tells nothing"


def test_a_level_embedding_is_one_lookup_for_each_column() -> None:
    sizes, widths = [5, 2, 9], [3, 1, 2]
    codes = np.column_stack([DRAW.integers(size, size=8) for size in sizes]).astype("int32")
    layer = LevelEmbedding(sizes, widths, seed=0)
    together = numbers_of(layer(codes))
    start, found = 0, []
    for column, (size, width) in enumerate(zip(sizes, widths, strict=True)):
        lookup = keras.layers.Embedding(size, width)
        lookup.build()
        lookup.set_weights([numbers_of(layer.table)[start : start + size, :width]])
        found.append(numbers_of(lookup(codes[:, column])))
        start += size
    np.testing.assert_array_equal(together, np.concatenate(found, axis=1))


def test_dropout_is_a_coin_for_each_output_in_training_alone() -> None:
    rate, ones = 0.3, np.ones((1_000, 200), dtype="float32")
    layer = keras.layers.Dropout(rate, seed=0)
    np.testing.assert_array_equal(numbers_of(layer(ones, training=False)), ones)
    dropped = numbers_of(layer(ones, training=True))
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], 1 / (1 - rate), rtol=1e-6)  # rescaled: the mean stays
    # The share kept is within five deviations of a fair draw, over all and within each row and column.
    for share, draws in ((kept.mean(), kept.size), (kept.mean(0), 1_000), (kept.mean(1), 200)):
        assert np.all(np.abs(share - (1 - rate)) < 5 * np.sqrt(rate * (1 - rate) / draws))
    # Neighbours are independent.
    assert abs(np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]) < 0.02
    assert not np.array_equal(numbers_of(layer(ones, training=True)), dropped)


GROUPED = DRAW.normal(size=(2, 6, 3)).astype("float32")
GROUP_LAYERS = [
    (BinEmbedding(3, 4, 2, seed=1), NUMBERS, (2, None, 6)),
    (Grouped(2), NUMBERS, (2, None, 2)),
    (LevelEmbedding([3, 4], [2, 1], 2, 1.0, seed=1), CODES, (2, None, 3)),
    (FewLevels([4, 5], 2), CODES, (None, 1)),
    (RobustScale(2.0), NUMBERS, (None, 2)),
    (PeriodicEmbedding(4, 5, nets=2, seed=1), NUMBERS, (2, None, 8)),
    (MemberScale(4, chunks=[2, 1], seed=1), GROUPED, (2, None, 3)),
    (GroupDense(4, seed=1), GROUPED, (2, None, 4)),
    (GroupDense(4, 3, seed=1), GROUPED, (2, None, 4)),
    (GroupDense(4, 3, before=False, seed=1), GROUPED, (2, None, 4)),
    (MemberOutputs(2, 3, "softmax", seed=1), GROUPED, (None, 6, 2)),
    (TangentDense(4, seed=1), GROUPED, (2, None, 4)),
    (TangentOutputs(4, "sigmoid", seed=1), GROUPED, (None, 2, 4)),
    (PartialActivation("selu"), GROUPED, (2, None, 3)),
    (FeatureScale(), GROUPED, (2, None, 3)),
    (MemberMean(), GROUPED, (2, 3)),
]


@pytest.mark.parametrize(("layer", "inputs", "shape"), GROUP_LAYERS, ids=lambda value: getattr(value, "name", None))
def test_a_layer_of_groups_is_made_again_from_its_configuration(layer: Any, inputs: np.ndarray, shape: Any) -> None:
    outputs = numbers_of(layer(inputs))
    again = type(layer).from_config(layer.get_config())
    again.build(inputs.shape)
    assert all(map(np.array_equal, again.get_weights(), layer.get_weights())), "its seed alone makes its weights"
    np.testing.assert_array_equal(numbers_of(again(inputs)), outputs)
    open_shape = [*inputs.shape]
    open_shape[-2 if inputs.ndim == 3 and not isinstance(layer, MemberMean) else 0] = None
    given = inputs.shape if isinstance(layer, MemberMean) else tuple(open_shape)
    assert layer.compute_output_shape(given) == shape
    assert keras.saving.get_registered_name(type(layer)) == f"nervura>{type(layer).__name__}"


def test_a_group_dense_is_the_efficient_ensemble_of_its_formula() -> None:
    layer = GroupDense(4, 3, seed=0)
    layer.build(GROUPED.shape)
    for weight in (layer.before, layer.after, layer.bias):
        weight.assign(DRAW.normal(size=weight.shape))
    before, after, bias, kernel = map(numbers_of, (layer.before, layer.after, layer.bias, layer.kernel))
    found = numbers_of(layer(GROUPED))
    for group in range(2):
        for row in range(6):
            own = row % 3  # the members of one row of the batch stand side by side
            made = (GROUPED[group, row] * before[group, own]) @ kernel[group] * after[group, own] + bias[group, own]
            np.testing.assert_allclose(found[group, row], made, atol=1e-5)


def test_few_levels_are_signs_or_zeros_and_ones_and_unknown_ones_nothing() -> None:
    layer = FewLevels([4, 5, 20], most=8)
    codes = np.array([[0, 0, 3], [1, 1, 3], [2, 2, 3], [3, 4, 3]], dtype="int32")
    expected = [[0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [-1, 0, 0, 1]]
    np.testing.assert_array_equal(numbers_of(layer(codes)), expected)


def test_robust_scale_is_that_of_the_paper() -> None:
    rows = np.column_stack([DRAW.exponential(size=400), DRAW.random(400) < 0.1, np.full(400, 5.0)]).astype("float32")
    layer = RobustScale(3.0)
    layer.build(rows.shape)
    layer.adapt(rows)
    low, median, high = np.quantile(rows[:, 0], [0.25, 0.5, 0.75])
    # Equal quartiles: half of the range; a constant: nothing.
    scaled = np.column_stack([(rows[:, 0] - median) / (high - low), 2 * rows[:, 1], 0 * rows[:, 2]])
    np.testing.assert_allclose(numbers_of(layer(rows)), scaled / np.sqrt(1 + np.square(scaled / 3)), atol=1e-5)


def test_a_periodic_embedding_is_its_formula() -> None:
    layer = PeriodicEmbedding(3, 5, nets=2, seed=0)
    layer.build(NUMBERS.shape)
    layer.frequency.change.assign(DRAW.normal(size=layer.frequency.start.shape))
    w, b, v, c = (numbers_of(p.value) for p in (layer.frequency, layer.phase, layer.mix, layer.bias))
    found = numbers_of(layer(NUMBERS)).reshape(2, 6, 2, 3)
    for net in range(2):
        for column in range(2):
            x = NUMBERS[:, column : column + 1]
            waves = np.cos(2 * np.pi * x * w[net, column] + b[net, column])
            np.testing.assert_allclose(found[net, :, column, :1], x)
            np.testing.assert_allclose(found[net, :, column, 1:], waves @ v[net, column] + c[net, column], atol=1e-5)


def test_a_partial_activation_goes_from_none_of_it_to_all() -> None:
    layer = PartialActivation("relu")
    np.testing.assert_allclose(numbers_of(layer(GROUPED)), np.maximum(GROUPED, 0), atol=1e-6)
    layer.share.change.assign(np.full(layer.share.change.shape, -10.0))
    np.testing.assert_allclose(numbers_of(layer(GROUPED)), GROUPED, atol=1e-6)


def test_weights_of_a_pace_take_steps_of_that_length() -> None:
    """Under Adam, whose first step is the learning rate in each direction."""
    inputs = keras.Input((4,))
    x = Grouped(1)(inputs)
    scale, dense = FeatureScale(6.0), TangentDense(3, 0.1, seed=0)
    model = keras.Model(inputs, dense(scale(x)))
    model.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)

    def weights() -> list[np.ndarray]:
        return [numbers_of(w) for w in (6.0 * scale.scale, dense.bias.value, dense.kernel)]

    before = [weight.copy() for weight in weights()]
    rows = DRAW.normal(size=(1, 4)).astype("float32")
    model.train_on_batch(rows, DRAW.normal(size=(1, 1, 3)).astype("float32"))
    for old, new, length in zip(before, weights(), (0.06, 0.001, 0.01), strict=True):
        np.testing.assert_allclose(np.abs(new - old), length, rtol=1e-2)


def test_the_rate_of_four_waves_is_zero_between_them_and_highest_within() -> None:
    rate = CosLogRate(0.2, 1_500)
    again = CosLogRate.from_config(rate.get_config())
    for turn in range(5):
        step = 1_500 * (2**turn - 1) / 15
        assert float(numbers_of(again(round(step)))) == pytest.approx(0, abs=1e-5)
        if turn < 4:
            middle = 1_500 * (2 ** (turn + 0.5) - 1) / 15
            assert float(numbers_of(rate(middle))) == pytest.approx(0.2, rel=1e-4)
    assert float(numbers_of(rate(9_999))) == pytest.approx(0, abs=1e-6)


FOLDS = np.array([0, 1, 2, -1, 1])
MEMBERS = 6
"""Two in each of three groups."""


def losses(kind: str, target: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """The loss of one answer, in NumPy, (rows,): of ``outputs`` (rows, units) and a target (rows, columns)."""
    if kind == "MeanSquaredError":
        return np.square(target - outputs).mean(-1)
    if kind == "BinaryCrossentropy":
        return -(target * np.log(outputs) + (1 - target) * np.log(1 - outputs)).mean(-1)
    if kind == "CategoricalCrossentropy":
        smooth = 0.9 * target + 0.1 / target.shape[-1]
        return -(smooth * np.log(outputs)).sum(-1)
    return -np.log(np.take_along_axis(outputs, target.astype(int), -1))[:, 0]


LOSSES = {
    "MeanSquaredError": (DRAW.normal(size=(5, 1)), 1, {}),
    "BinaryCrossentropy": (DRAW.integers(0, 2, (5, 1)), 1, {}),
    "SparseCategoricalCrossentropy": (DRAW.integers(0, 3, (5, 1)), 3, {}),
    "CategoricalCrossentropy": (np.eye(3)[DRAW.integers(0, 3, 5)], 3, {"label_smoothing": 0.1}),
}


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("groups", [1, 3])
def test_the_loss_of_members_is_the_mean_of_those_that_may_learn_from_the_row(kind: str, groups: int) -> None:
    target, units, options = LOSSES[kind]
    outputs = DRAW.uniform(0.1, 0.9, (5, MEMBERS, units))
    if units > 1:
        outputs /= outputs.sum(-1, keepdims=True)
    given = np.column_stack([target, FOLDS]).astype("float32")
    each = np.stack([losses(kind, target, outputs[:, i]) for i in range(MEMBERS)], axis=1)
    group = np.arange(MEMBERS) * groups // MEMBERS
    learning = np.ones((5, MEMBERS), bool) if groups == 1 else group != FOLDS[:, None]
    expected = np.mean([each[row][learning[row]].mean() for row in range(5)])
    found = MemberLoss(kind, groups, options=options)(given, outputs.astype("float32"))
    assert float(numbers_of(found)) == pytest.approx(expected, rel=1e-5)
    # It judges by the mean answer of the others: those that have not learnt from the row.
    known = FOLDS >= 0
    judging = learning if groups == 1 else ~learning
    answers = np.stack([outputs[row][judging[row]].mean(0) for row in np.flatnonzero(known)])
    judge = MemberLoss(kind, groups, held_out=True, options=options)
    found = judge(given[known], outputs[known].astype("float32"))
    assert float(numbers_of(found)) == pytest.approx(losses(kind, target[known], answers).mean(), rel=1e-5)
    again = MemberLoss.from_config(judge.get_config())
    assert float(numbers_of(again(given[known], outputs[known].astype("float32")))) == float(numbers_of(found))


PICTURES = DRAW.integers(0, 256, (40, 6, 5, 3)).astype("uint8")


def test_pictures_are_mirrored_in_every_second_pass() -> None:
    layer = Moved(flips=True, shift=0)
    layer.build(PICTURES.shape)
    layer.steps.assign(2)
    passes = [[numbers_of(layer(part, training=True)) for part in (PICTURES[:25], PICTURES[25:])] for _ in range(3)]
    first, second, third = (np.concatenate(parts) for parts in passes)
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(first, second[:, :, ::-1])
    plain = (first == PICTURES).all((1, 2, 3))
    np.testing.assert_array_equal(plain, PICTURES.sum((1, 2, 3), dtype=int) % 2 == 0)
    np.testing.assert_array_equal(first[~plain], PICTURES[~plain][:, :, ::-1])
    np.testing.assert_array_equal(numbers_of(layer(PICTURES)), PICTURES)


def test_shifted_pictures_continue_as_in_a_mirror() -> None:
    layer = Moved(flips=False, shift=2, seed=0)
    moved = numbers_of(layer(PICTURES, training=True))
    wide = np.pad(PICTURES, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    shifts = {}
    for i, one in enumerate(moved):
        found = [(y, x) for y in range(5) for x in range(5) if (wide[i, y : y + 6, x : x + 5] == one).all()]
        assert len(found) == 1
        shifts[found[0]] = shifts.get(found[0], 0) + 1
    assert len(shifts) > 10, "shifts are drawn anew for every picture"
    assert not np.array_equal(numbers_of(layer(PICTURES, training=True)), moved)


def test_lookahead_is_nesterov_that_goes_back_to_its_average() -> None:
    """The loop of the paper's code, in NumPy, with the weight decay of Keras."""
    steps, rate, momentum, decay = 13, 0.1, 0.8, 0.05
    gradients = DRAW.normal(size=(steps, 3))
    w = slow = np.array([1.0, -2.0, 0.5])
    v = np.zeros(3)
    variable = keras.Variable(w.astype("float32"))
    optimizer = Lookahead(rate, steps, momentum, weight_decay=decay)
    for i, g in enumerate(gradients, 1):
        w = w - rate * decay * w
        v = momentum * v - rate * g
        w = w + momentum * v - rate * g
        hold = 1.0 if i == steps else 0.95**5 * (i / steps) ** 3
        if i % 5 == 0 or i == steps:
            slow = hold * slow + (1 - hold) * w
            w = slow
        optimizer.apply([keras.ops.convert_to_tensor(g.astype("float32"))], [variable])
        np.testing.assert_allclose(numbers_of(variable), w, rtol=1e-5, atol=1e-6)
    again = Lookahead.from_config(optimizer.get_config())
    assert (again.steps, again.momentum, again.weight_decay) == (steps, momentum, decay)


def test_the_triangle_follows_the_end_that_its_optimiser_holds() -> None:
    rate = TriangularRate(2.0, 1_000)
    for step, share in ((0, 0.2), (115, 0.6), (230, 1.0), (1_000, 0.07), (5_000, 0.07)):
        assert float(numbers_of(rate(step))) == pytest.approx(2 * share, rel=1e-5)
    optimizer = Lookahead(rate, 1_000)
    optimizer.build([keras.Variable(np.zeros(2, "float32"))])
    optimizer.end.assign(100)
    assert float(numbers_of(rate(23))) == pytest.approx(2.0, rel=1e-5)


def test_a_stable_rate_falls_to_zero_in_its_last_quarter() -> None:
    rate = StableDecayRate(2.0, 1_000)
    for step, share in ((0, 1.0), (750, 1.0), (875, 0.5), (1_000, 0.0), (5_000, 0.0)):
        assert float(numbers_of(rate(step))) == pytest.approx(2 * share, abs=1e-5)


def test_values_are_swapped_with_those_of_other_rows_and_held_out_rows_always_alike() -> None:
    rows = np.arange(400.0).reshape(50, 8).astype("float32")
    layer = Swapped(0.3, seed=1)
    once, again = (keras.ops.convert_to_numpy(layer(rows, training=True)) for _ in range(2))
    assert not np.array_equal(once, again) and 0.2 < (once != rows).mean() < 0.4
    assert all(set(once[:, column]) <= set(rows[:, column]) for column in range(8))
    held_out, then = (keras.ops.convert_to_numpy(layer(rows)) for _ in range(2))
    assert np.array_equal(held_out, then) and (held_out != rows).any()
    pictures = np.random.default_rng(0).integers(0, 256, (40, 9, 9, 1), dtype=np.uint8)
    squares = keras.ops.convert_to_numpy(Swapped(0.5, side=4, seed=1)(pictures, training=True))
    whole = (squares == pictures)[:, :4, :4].all((1, 2, 3))
    assert squares.dtype == np.uint8 and 0.3 < whole.mean() < 0.7
