"""RealMLP: what its authors' package computes, ours does too."""

from typing import Any

import numpy as np
import pytest

from nervura import contracts
from nervura.designing import design
from nervura.encoding import Tensor
from nervura.layers.periodic_embedding import PeriodicEmbedding
from nervura.layers.tangent_dense import TangentDense
from nervura.problems.base import Head
from nervura.training import predict
from nervura.zoo.base import read_options
from nervura.zoo.realmlp import RealMLP

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
ROWS = 300
LEVELS = (2, 3, 12)
"""Of the categories: one as a sign, one as zeros and ones, one as learnt vectors."""

HEADS = {
    "multiclass": Head(3, "softmax", "SparseCategoricalCrossentropy", {}),
    "regression": Head(1, "linear", "MeanSquaredError", {}),
}
TENSORS = [
    Tensor("numbers", "float32", ("a", "b", "c", "d")),
    Tensor("categories", "int32", ("e", "f", "g"), tuple(levels + 2 for levels in LEVELS)),
]
CODES = np.column_stack([DRAW.integers(levels + 1, size=ROWS) for levels in LEVELS])
"""As the authors code levels: 0 is missing, 1 and on are the levels. Ours are one more."""

NUMBERS = np.column_stack(
    [
        DRAW.normal(3, 5, ROWS),
        DRAW.exponential(size=ROWS),
        DRAW.random(ROWS) < 0.1,  # the quartiles are the same
        np.full(ROWS, 7.0),
    ]
).astype("float32")
X = {"numbers": NUMBERS, "categories": (CODES + 1).astype("int32")}
WIDTH = 24


def numbers_of(values: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(values))


def made(problem: str, **options: Any) -> Any:
    given = read_options(RealMLP.Options, {"hidden": [WIDTH] * 3, "folds": 1, **options})
    RealMLP().settle(given, HEADS[problem], TENSORS)
    return RealMLP().build(TENSORS, HEADS[problem], given, seed=0)


def authors_package() -> None:
    reason = "the authors' package is not installed (pip install pytabkit)"
    pytest.importorskip("torch", reason=reason)
    pytest.importorskip("pytabkit", reason=reason)


def theirs(problem: str, numbers: np.ndarray = NUMBERS, codes: np.ndarray = CODES, **options: Any) -> tuple[Any, Any]:
    """The authors' network, begun by their rules, and their data set."""
    import torch
    from pytabkit.models.data.data import DictDataset, TensorInfo
    from pytabkit.models.nn_models.models import NNFactory
    from pytabkit.models.sklearn.default_params import DefaultParams

    settings = DefaultParams.RealMLP_TD_REG if problem == "regression" else DefaultParams.RealMLP_TD_CLASS
    # Dropout and label smoothing act in training alone; the outputs of values are not brought to the target's units.
    more = {"block_str": "w-b-a", "use_ls": False, "normalize_output": False, "clamp_output": False}
    factory = NNFactory(**{**settings, **more, "hidden_sizes": [WIDTH] * 3, **options})
    values = problem == "regression"
    infos = {
        "x_cont": TensorInfo(feat_shape=[numbers.shape[1]]),
        "x_cat": TensorInfo(cat_sizes=[levels + 1 for levels in LEVELS]),
        "y": TensorInfo(cat_sizes=[0 if values else 3]),
    }
    tensors = {
        "x_cont": torch.tensor(numbers),
        "x_cat": torch.tensor(codes),
        "y": torch.zeros((len(codes), 1), dtype=torch.float32 if values else torch.long),
    }
    dataset = DictDataset(tensors, infos)
    torch.manual_seed(0)
    with torch.no_grad():
        layer, _ = factory.create(infos).fit_transform(dataset)
    return layer.eval(), dataset


def parts_of(layer: Any) -> dict[str, list[Any]]:
    """The layers that have trained weights, by the name of their kind, in the order of computation."""
    found: dict[str, list[Any]] = {}
    for module in layer.modules():
        own = list(module.parameters(recurse=False))
        if own and all(variable.trainable for variable in own):
            found.setdefault(type(module).__name__, []).append(module)
    return found


def array(variable: Any) -> np.ndarray:
    return variable.detach().numpy()


def place(numbers: int) -> list[int]:
    """For each of our encoded inputs its place among the authors': we keep the numbers of one column together."""
    waves = [[4 * numbers - numbers + i, *range(3 * i, 3 * i + 3)] for i in range(numbers)]
    few = list(range(4 * numbers, 4 * numbers + 1 + 3))
    many = list(range(few[-1] + 1, few[-1] + 1 + 8))
    return [*(j for column in waves for j in column), *many, *few]


def take_over(model: Any, layer: Any) -> None:
    parts = parts_of(layer)
    [waves], [vectors], [scale] = (
        parts[name] for name in ("PLREmbeddingsLayerCosBias", "SingleEmbeddingLayer", "ScaleLayer")
    )
    ours = model.get_layer("numbers_embedded")
    for mine, yours in (
        (ours.frequency, waves.weight_1),
        (ours.phase, waves.bias_1),
        (ours.mix, waves.weight_2),
        (ours.bias, waves.bias_2),
    ):
        mine.start.assign(array(yours)[None])
    table = model.get_layer("many_levels").table
    kept = numbers_of(table).copy()
    kept[0, -(LEVELS[-1] + 1) :] = array(vectors.emb)
    table.assign(kept)
    order = place(4)
    front = model.get_layer("scaled")
    front.scale.assign(array(scale.scale)[None, :, order] / front.pace)
    names = [f"hidden_{i}" for i in (1, 2, 3)] + ["members"]
    for name, weight, bias in zip(names, parts["WeightLayer"], parts["BiasLayer"], strict=True):
        kernel = array(weight.weight)
        model.get_layer(name).kernel.assign((kernel[order] if name == "hidden_1" else kernel)[None])
        model.get_layer(name).bias.start.assign(array(bias.bias)[None])
    for i, activation in enumerate(parts["ParametricActivationLayer"], 1):
        model.get_layer(f"activation_{i}").share.start.assign(array(activation.weight)[None])


@pytest.mark.parametrize("problem", HEADS)
def test_the_same_weights_give_the_outputs_of_the_authors(problem: str) -> None:
    authors_package()
    import torch

    layer, dataset = theirs(problem)
    with torch.no_grad():
        for name, modules in parts_of(layer).items():
            for module in modules if name in ("ScaleLayer", "ParametricActivationLayer") else []:
                for variable in module.parameters(recurse=False):
                    variable.mul_(torch.rand_like(variable) + 0.5)
        expected = layer.forward_tensors(dataset.tensors)["x_cont"]
        if problem == "multiclass":
            expected = torch.softmax(expected, -1)
    model = made(problem)
    RealMLP().prepare(model, X)
    take_over(model, layer)
    np.testing.assert_allclose(predict(model, X), expected.numpy(), atol=1e-5)
    trained = sum(v.numel() for v in layer.parameters() if v.trainable)
    counted = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    # Our table of vectors has rows for the unlisted code and, unused, for the columns of few levels.
    assert counted - trained == 8 * (sum(LEVELS[:2]) + 4 + 1)


def test_weights_begin_as_those_of_the_authors() -> None:
    authors_package()

    numbers = DRAW.normal(size=(200, 400)).astype("float32")
    codes = np.column_stack([DRAW.integers(levels + 1, size=200) for levels in LEVELS])
    parts = parts_of(theirs("multiclass", numbers, codes)[0])
    waves = parts["PLREmbeddingsLayerCosBias"][0]
    ours = PeriodicEmbedding(4, 16, seed=0)
    ours.build(numbers.shape)
    cuts = np.arange(0.05, 1, 0.05)
    for mine, yours in (
        (ours.frequency, waves.weight_1),
        (ours.phase, waves.bias_1),
        (ours.mix, waves.weight_2),
        (ours.bias, waves.bias_2),
    ):
        expected = np.quantile(array(yours), cuts)
        np.testing.assert_allclose(np.quantile(numbers_of(mine.value), cuts), expected, atol=0.25 * expected.std())
    # A hidden layer, begun by rows of the same kind.
    rows = DRAW.normal(size=(1, 1_000, 60)).astype("float32") + 1
    dense = TangentDense(600, seed=0)
    dense.build(rows.shape)
    dense.adapt(rows)
    assert their_first_sums(rows[0]) == pytest.approx(first_sums(dense, rows), abs=0.1)


def first_sums(dense: TangentDense, rows: np.ndarray) -> list[float]:
    """Moments of a begun layer: of its weights, its biases and its sums."""
    kernel, bias = numbers_of(dense.kernel), numbers_of(dense.bias.value)
    return summary(kernel[0], bias[0], numbers_of(dense(rows))[0])


def their_first_sums(rows: np.ndarray) -> list[float]:
    import torch
    from pytabkit.models.data.data import DictDataset, TensorInfo
    from pytabkit.models.nn_models.base import SequentialFitter
    from pytabkit.models.nn_models.nn import BiasFitter, WeightFitter

    weight = WeightFitter(600, weight_param="ntk", weight_init_mode="std")
    layers = SequentialFitter([weight, BiasFitter(bias_init_mode="he+5", in_features=rows.shape[1])])
    infos = {"x_cont": TensorInfo(feat_shape=[rows.shape[1]])}
    torch.manual_seed(0)
    layer, made = layers.fit_transform(DictDataset({"x_cont": torch.tensor(rows)}, infos))
    kernel, bias = (array(list(part.parameters())[0]) for part in layer.tfms)
    return summary(kernel, bias[0], made.tensors["x_cont"].detach().numpy())


def summary(kernel: np.ndarray, bias: np.ndarray, sums: np.ndarray) -> list[float]:
    negative = (sums < 0).mean(0)
    moments = [kernel.std(), bias.std(), sums.std(0).mean(), sums.std(), negative.mean(), negative.std()]
    return [float(value) for value in moments]


def test_first_sums_deviate_by_one_and_cross_zero_among_the_rows() -> None:
    rows = (DRAW.normal(size=(2, 400, 30)) * 5 + 3).astype("float32")
    dense = TangentDense(50, seed=0)
    dense.build(rows.shape)
    dense.adapt(rows)
    sums = numbers_of(dense(rows))
    np.testing.assert_allclose(sums.std(1), 1, rtol=1e-4)
    assert (sums.min(1) < 0).all() and (sums.max(1) > 0).all()


def test_what_is_left_to_the_problem_is_chosen_for_classes_and_values() -> None:
    settled = {}
    for classes in (None, 2, 3):
        dataset = contracts.example(classes)
        options = design(dataset.problem, "realmlp", dataset.schema).options
        settled[classes] = (options.learning_rate, options.dropout, options.activation)
        assert design(dataset.problem, "realmlp", dataset.schema, {"learning_rate": 0.5}).options.learning_rate == 0.5
    assert settled == {None: (0.2, 0.15, "mish"), 2: (0.01, 0.3, "selu"), 3: (0.01, 0.3, "selu")}


def test_nets_of_groups_and_members_share_nothing() -> None:
    one, many = (made("regression", folds=folds, members=members) for folds, members in ((1, 1), (2, 3)))
    assert many.count_params() == 6 * one.count_params() - 5 * fixed(one)
    learner = keras.Model(many.inputs, many.get_layer("members").output)
    outputs = numbers_of(learner([X[tensor.name] for tensor in many.inputs], training=False))
    assert outputs.shape == (ROWS, 6, 1)
    assert np.abs(np.corrcoef(outputs[..., 0].T) - np.eye(6)).max() < 0.99


def fixed(model: Any) -> int:
    """The numbers that all nets share: medians and factors of the inputs."""
    return sum(layer.count_params() for layer in model.layers if type(layer).__name__ == "RobustScale")
