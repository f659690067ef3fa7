"""TabM: what its authors' packages compute, ours does too; groups learn nothing from the rows of their own fold."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from nervura import contracts, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.encoding import Tensor
from nervura.layers.bin_embedding import BinEmbedding
from nervura.layers.group_dense import GroupDense
from nervura.layers.member_outputs import MemberOutputs
from nervura.layers.member_scale import MemberScale
from nervura.problems.base import Head
from nervura.training import predict
from nervura.zoo.base import read_options
from nervura.zoo.tabm import TabM

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
ROWS = 200
SIZES = (4, 3)
HEAD = Head(3, "softmax", "SparseCategoricalCrossentropy", {})
TENSORS = [Tensor("numbers", "float32", ("a", "b", "c")), Tensor("categories", "int32", ("d", "e"), SIZES)]
X = {
    # The third number has few values, so that fewer bins are left of its quantiles.
    "numbers": np.column_stack([DRAW.normal(size=(ROWS, 2)), DRAW.integers(0, 3, ROWS)]).astype("float32"),
    "categories": np.column_stack([DRAW.integers(size, size=ROWS) for size in SIZES]).astype("int32"),
}


def numbers_of(values: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(values))


def made(**options: Any) -> Any:
    given = {"hidden": [16, 12], "embedding": 5, "bins": 8, "members": 4, "folds": 1, **options}
    return TabM().build(TENSORS, HEAD, read_options(TabM.Options, given), seed=0)


def of_model(model: Any, x: dict[str, np.ndarray]) -> np.ndarray:
    """The members' outputs, (rows, members, units)."""
    learner = keras.Model(model.inputs, model.get_layer("members").output)
    return numbers_of(learner([x[tensor.name] for tensor in model.inputs], training=False))


def authors_packages() -> Any:
    reason = "the authors' packages are not installed (pip install tabm rtdl_num_embeddings)"
    pytest.importorskip("torch", reason=reason)
    pytest.importorskip("rtdl_num_embeddings", reason=reason)
    return pytest.importorskip("tabm", reason=reason)


def authors_bins(numbers: np.ndarray, bins: int) -> Any:
    import rtdl_num_embeddings
    import torch

    return rtdl_num_embeddings.compute_bins(torch.tensor(numbers), n_bins=bins)


@pytest.mark.parametrize("inside", [True, False])
def test_the_vectors_of_numbers_are_those_of_the_authors(inside: bool) -> None:
    authors_packages()
    import rtdl_num_embeddings
    import torch

    numbers, width = X["numbers"], 5
    theirs = rtdl_num_embeddings.PiecewiseLinearEmbeddings(
        authors_bins(numbers, 8), width, activation=False, version="B"
    )
    torch.nn.init.normal_(theirs.linear.weight)
    ours = BinEmbedding(width, bins=8)
    ours.build(numbers.shape)
    ours.adapt(numbers)
    steps = theirs.linear.weight.detach().numpy().copy()
    # Their last bin has the last place, ours the one after the bin before it.
    counts = (numbers_of(ours.slope) > 0).sum(1)
    for column, count in enumerate(counts):
        steps[column, count - 1] = steps[column, -1]
    ours.steps.assign(steps)
    ours.linear.assign(theirs.linear0.weight.detach().numpy()[:, None])
    ours.bias.assign(theirs.linear0.bias.detach().numpy()[:, None])
    asked = numbers if inside else numbers + np.float32(10)
    with torch.no_grad():
        expected = theirs(torch.tensor(asked)).flatten(1).numpy()
    found = numbers_of(ours(asked))[0]
    if inside:
        np.testing.assert_allclose(found, expected, atol=1e-5)
    else:
        # As the page says, we differ here: their outermost bins go on as straight lines.
        edge = numbers.max(0, keepdims=True) + 0 * asked
        straight = numbers_of(ours.linear)[:, 0] * (asked - edge)[..., None]
        np.testing.assert_allclose(found, numbers_of(ours(edge))[0] + straight.reshape(ROWS, -1), atol=1e-4)


@pytest.mark.parametrize("arch", ["tabm-mini", "tabm"])
def test_the_same_weights_give_the_outputs_of_the_authors(arch: str) -> None:
    tabm = authors_packages()
    import rtdl_num_embeddings
    import torch

    model = made(arch=arch)
    TabM().prepare(model, X)
    clipped = X["numbers"] / np.sqrt(1 + np.square(X["numbers"] / np.float32(3)))
    embedding = rtdl_num_embeddings.PiecewiseLinearEmbeddings(
        authors_bins(clipped, 8), 5, activation=False, version="B"
    )
    theirs = tabm.TabM(
        n_num_features=3,
        cat_cardinalities=list(SIZES),
        d_out=3,
        num_embeddings=embedding,
        k=4,
        n_blocks=2,
        d_block=16,
        dropout=0.0,
        arch_type=arch,
        start_scaling_init="normal",
    )
    model = made(arch=arch, hidden=[16, 16])
    TabM().prepare(model, X)
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    torch.nn.init.zeros_(embedding.linear.weight)

    def array(parameter: Any) -> np.ndarray:
        return parameter.detach().numpy()

    layer = model.get_layer("numbers_embedded")
    layer.linear.assign(array(embedding.linear0.weight)[:, None])
    layer.bias.assign(array(embedding.linear0.bias)[:, None])
    first = theirs.backbone.affine.weight if arch == "tabm-mini" else theirs.backbone.blocks[0][0].r
    model.get_layer("members_apart").scale.assign(array(first)[None])
    for i, block in enumerate(theirs.backbone.blocks):
        dense = model.get_layer(f"hidden_{i + 1}")
        dense.kernel.assign(array(block[0].weight).T[None])
        dense.bias.assign(array(block[0].bias).reshape(1, -1, 16))
        if arch == "tabm":
            dense.after.assign(array(block[0].s)[None])
            if i:
                dense.before.assign(array(block[0].r)[None])
    outputs = model.get_layer("members")
    outputs.kernel.assign(array(theirs.output.weight)[None])
    outputs.bias.assign(array(theirs.output.bias)[None])
    with torch.no_grad():
        logits = theirs(torch.tensor(clipped), torch.tensor(X["categories"], dtype=torch.long))
        expected = torch.softmax(logits, -1).numpy()
    np.testing.assert_allclose(of_model(model, X), expected, atol=1e-5)
    np.testing.assert_allclose(predict(model, X), expected.mean(1), atol=1e-5)
    trained = sum(parameter.numel() for parameter in theirs.parameters())
    # Ours keeps bins that few values leave empty, at zero; the authors keep as many.
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == trained + empty_steps(model, embedding)


def empty_steps(model: Any, embedding: Any) -> int:
    return int(np.prod(model.get_layer("numbers_embedded").steps.shape)) - embedding.linear.weight.numel()


def moments(values: np.ndarray) -> np.ndarray:
    return np.quantile(values, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])


def test_weights_begin_as_those_of_the_authors() -> None:
    tabm = authors_packages()

    # So many draws that all their quantiles lie within a hundredth of the range.
    features, units, members = 400, 300, 64
    theirs = tabm.LinearBatchEnsemble(features, units, k=members, scaling_init=("normal", "ones"))
    ours = GroupDense(units, members, seed=0)
    ours.build((1, None, features))
    for mine, yours in ((ours.kernel, theirs.weight), (ours.before, 0 * theirs.r + 1), (ours.after, theirs.s)):
        np.testing.assert_allclose(moments(numbers_of(mine)), moments(yours.detach().numpy()), atol=2e-3)
    for bias in (numbers_of(ours.bias)[0], theirs.bias.detach().numpy()):
        assert np.ptp(bias, axis=0).max() == 0, "members begin with one bias"
        np.testing.assert_allclose([bias.min(), bias.max()], [-(features**-0.5), features**-0.5], atol=2e-3)
    each = tabm.LinearEnsemble(features, 30, k=members)
    outputs = MemberOutputs(30, members, seed=0)
    outputs.build((1, None, features))
    for mine, yours in ((outputs.kernel, each.weight), (outputs.bias, each.bias)):
        np.testing.assert_allclose(moments(numbers_of(mine)), moments(yours.detach().numpy()), atol=4e-3)


@pytest.mark.parametrize("signs", [False, True])
def test_the_first_scales_are_drawn_once_for_each_member_and_column(signs: bool) -> None:
    layer = MemberScale(2_000, signs, [3, 1, 2], seed=0)
    layer.build((2, None, 6))
    scale = numbers_of(layer.scale)
    np.testing.assert_array_equal(scale[..., [0, 0, 3, 4]], scale[..., [1, 2, 3, 5]])
    drawn = scale[..., [0, 3, 4]].reshape(-1, 3)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(3), atol=0.06)
    assert abs(drawn.mean()) < 0.03
    assert set(np.unique(drawn)) == {-1, 1} if signs else abs(np.mean(drawn**4) - 3) < 0.3


@pytest.mark.parametrize("arch", ["tabm-mini", "tabm"])
@pytest.mark.parametrize("groups", [1, 3])
def test_the_number_of_weights_follows_the_formula_of_the_paper(arch: str, groups: int) -> None:
    model = made(arch=arch, folds=groups, hidden=[16, 12])
    members, inputs = 4, 3 * 5 + sum(SIZES)
    of_numbers = 3 * 5 * (2 + 8)
    backbone = inputs * 16 + 16 * 12
    if arch == "tabm-mini":
        apart = members * inputs + 16 + 12  # one scale of the inputs for each member; biases are shared
    else:
        apart = members * (inputs + 16 + 16 + (16 + 12 + 12))  # R, S and bias of both layers
    outputs = members * (12 + 1) * 3
    counted = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert counted == groups * (of_numbers + backbone + apart + outputs)


def test_members_of_a_group_and_groups_differ() -> None:
    outputs = of_model(made(folds=2, members=3), X)
    assert outputs.shape == (ROWS, 6, 3)
    for i in range(6):
        for j in range(i):
            assert np.abs(outputs[:, i] - outputs[:, j]).max() > 1e-3


@cache
def example() -> Dataset:
    return contracts.example(None)


def trained(absurd_fold: int | None, network: str = "tabm", **options: Any) -> tuple[Design, np.ndarray]:
    """A design of three groups trained where the rows of one fold may have absurd targets, and all its outputs."""
    dataset = example()
    given = {"folds": 3, "epochs": 1, "batch_size": 32, "clip_norm": 0.0, **options}
    new = design(dataset.problem, network, dataset.schema, given, seed=1)
    (x, y), validation = dataset.arrays("train"), dataset.arrays("validation")
    folds = np.where(np.arange(len(y)) % 2, 1, 2)
    if absurd_fold is not None:
        y = np.where(folds == absurd_fold, 100 - 50 * y, y).astype(y.dtype)
    training.fit(new, (x, y), validation, folds=folds)
    return new, training.predict(new.learner, x)


@pytest.mark.parametrize("network", ["tabm", "realmlp"])
def test_a_group_learns_nothing_from_the_rows_of_its_own_fold(network: str) -> None:
    small = {"hidden": [16], "members": 2}
    (new, plain), (_, absurd) = (trained(fold, network, **small) for fold in (None, 2))
    assert new.groups == 3 and plain.shape[1] == 6
    # Bit for bit the same for group 2, to which those targets are unknown, and far away for the others.
    np.testing.assert_array_equal(plain[:, 4:], absurd[:, 4:])
    assert np.abs(plain[:, :4] - absurd[:, :4]).min(axis=0).max() > 1e-3
