"""Network x problem x schema = a Keras model and its layer table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from nervura import backend, pretraining
from nervura.encoding import (
    MEDIA,
    PICTURES,
    SERIES,
    TERMS,
    TOKENS,
    WORDS,
    Tensor,
    document_columns,
    image_column,
    medium,
    tensors,
    text_encoding,
)
from nervura.errors import OptionError
from nervura.problems.base import Appraised, Problem, Targetless
from nervura.schema import Schema, html_table, text_table
from nervura.zoo import zoo
from nervura.zoo.base import Network, Phase, options_to_json, read_options

if TYPE_CHECKING:
    import keras
    import numpy as np

DEFAULT_NETWORK, DEFAULT_DOCUMENT_NETWORK, DEFAULT_TEXT_NETWORK = "tabm", "feed_forward", "bag_of_words"
DEFAULT_PICTURE_NETWORK, PHOTOGRAPH_NETWORK = "airbench", "pretrained"
"""What is trained on tables, on tables with documents, on pictures and on few photographs where no network is named."""

DEFAULT_NETWORKS = {None: DEFAULT_NETWORK, PICTURES: DEFAULT_PICTURE_NETWORK, SERIES: "minirocket"}
"""What is trained by the tensor that tells all of a row, where no network is named."""

PHOTOGRAPH_SIDE, FEW_PHOTOGRAPHS = 64, 5_000
"""Pictures with a shorter side of at least so many pixels, and fewer than so many to learn from, are few photographs."""


def default_network(schema: Schema) -> str:
    """The network that is trained on such rows where none is named."""
    return chosen_network(schema)[0]


PRETRAINED_NETWORK, PRETRAINED_PICTURE_NETWORK = "deep_feed_forward", "convolutional"
"""What is trained on tables and on pictures, where no network is named, once rows without a target have been learnt from."""


def chosen_network(schema: Schema, problem: Problem | None = None, pretrain: bool = False) -> tuple[str, str | None]:
    """The network that is trained where none is named, and why where the data and this machine decided it.

    Args:
        problem: may name its own, as those do that judge themselves.
        pretrain: whether it is to learn from rows without a target first.
    """
    column = image_column(schema)
    if isinstance(problem, Targetless) and column is not None:
        return problem.picture_network, None
    if isinstance(problem, Appraised):
        return problem.network, None
    if pretrain:
        return PRETRAINED_NETWORK if column is None else PRETRAINED_PICTURE_NETWORK, None
    if column is None:
        if text_encoding(schema):
            return DEFAULT_TEXT_NETWORK, None
        if document_columns(schema):
            return DEFAULT_DOCUMENT_NETWORK, None
        return DEFAULT_NETWORKS[medium(schema)], None
    form = column.encoding or {}
    side, rows = min(form["height"], form["width"]), form.get("rows", FEW_PHOTOGRAPHS)
    if side < PHOTOGRAPH_SIDE or rows >= FEW_PHOTOGRAPHS or not zoo.load(PHOTOGRAPH_NETWORK).at_hand():
        return DEFAULT_PICTURE_NETWORK, None
    return PHOTOGRAPH_NETWORK, (
        f"The network is {PHOTOGRAPH_NETWORK}: {rows:,} training pictures of {side} pixels are few photographs (fewer than "
        f"{FEW_PHOTOGRAPHS:,}, of {PHOTOGRAPH_SIDE} pixels or more), and the weights of ImageNet are on this machine."
    )


ACTIVATIONS = 2**25
"""Of pictures so many rows are computed at once that the largest layer gives this many numbers."""


@dataclass
class Design:
    """A Keras model that is ready to be trained, and how it came about.

    Attributes:
        model: the predicting network; inputs are a dict of the tensors by name.
        layers: one dict per layer: name, type, output_shape, parameters, note.
        rule: the rule that sized the network, in words, or None.
        learner: the model that is trained. It shares all weights with ``model``, and is ``model`` itself unless the
            network has members, whose outputs it then gives side by side: (batch, groups x members, units).
        groups: of members, each of which leaves out one fold of the training rows; 1 where nothing is bagged.
        own_objective: whether the learner gives the loss of each row itself, (batch,), in place of outputs.
        pretrain: whether rows without a target are learnt from before the target is.
    """

    network: Network
    problem: Problem
    tensors: list[Tensor]
    options: Any
    seed: int
    model: keras.Model = field(repr=False)
    layers: list[dict[str, Any]] = field(repr=False)
    rule: str | None = None
    learner: keras.Model = field(repr=False, default=None)  # type: ignore[assignment]
    groups: int = 1
    own_objective: bool = False
    pretrain: bool = False

    @property
    def phases(self) -> list[Phase]:
        """The parts of the training in their order."""
        own = self.network.phases(self.options)
        return pretraining.phases(own[0]) if self.pretrain and len(own) == 1 else own

    def enter(self, phase: Phase) -> None:
        """Sets what learns in a phase, and what is made small."""
        self.network.enter(self.learner, phase)
        if self.own_objective:
            self.learner.enter(phase.name)
        if phase.name in pretraining.PHASES and self.pretrain:
            pretraining.enter(self.learner, phase)

    def prepare(self, batch: dict[str, np.ndarray]) -> None:
        """Sets, once before training, what layers take from training rows: means, spreads, bins."""
        self.network.prepare(self.model, batch)
        for other in getattr(self.learner, "others", ()):
            if hasattr(other, "inputs"):  # a model that training needs and predicting does not
                Network.prepare(self.network, other, batch)

    @property
    def members(self) -> bool:
        """Whether the network has members that are trained for themselves."""
        return self.learner is not self.model and not self.own_objective

    @property
    def parameters(self) -> int:
        return self.model.count_params()

    def to_json(self) -> dict[str, Any]:
        return {
            "network": self.network.name,
            "summary": self.network.summary,
            "options": options_to_json(self.options),
            "seed": self.seed,
            "parameters": self.parameters,
            "inputs": [{"name": t.name, "features": list(t.features), "sizes": list(t.sizes)} for t in self.tensors],
            "layers": self.layers,
            "branches": branches(self.model),
            "rule": self.rule,
            **({"pretrain": True} if self.pretrain else {}),
        }

    def __str__(self) -> str:
        rows = [{k: v for k, v in layer.items()} for layer in self.layers]
        head = f"{self.network.name}: {self.network.summary}, {self.parameters:,} parameters"
        return "\n".join([head, *([self.rule] if self.rule else []), text_table(rows)])

    def _repr_html_(self) -> str:
        return html_table(self.layers)


def design(
    problem: Problem,
    network: str | Network,
    schema: Schema,
    options: dict[str, Any] | None = None,
    seed: int = 0,
    folds: int = 1,
    pretrain: bool = False,
) -> Design:
    """Builds the Keras model that answers ``problem`` with ``network`` on tables of ``schema``.

    Args:
        problem: as bound to a target's coding (``Dataset.problem``).
        schema: with the encoding learnt.
        options: names and values of the network's options.
        seed: every initial weight and random layer depends on it alone.
        folds: how many the training rows come in, for a network that can be bagged and is not told otherwise.
        pretrain: whether rows without a target are learnt from before the target is; see ``nervura.pretraining``.

    Raises:
        OptionError: unknown network or option, or a value out of bounds; the network cannot be pretrained.
    """
    member = zoo.load(network) if isinstance(network, str) else network
    given = tensors(schema)
    _check_suits(member, problem, given)
    _check_reads(member, problem, given)
    chosen = read_options(member.Options, options or {})
    if getattr(chosen, "folds", None) == 0:
        chosen.folds = folds
    if getattr(chosen, "precision", None) == "auto":
        pictures = any(tensor.name == PICTURES for tensor in given)
        chosen.precision = backend.training_precision() if pictures else "float32"
    inputs = [tensor for tensor in given if tensor.name in member.takes]
    head = problem.head(getattr(chosen, "label_smoothing", 0.0))
    reason = member.settle(chosen, head, inputs)
    model = member.build(inputs, head, chosen, seed)
    attributes = sum(tensor.attributes for tensor in inputs)
    rule = (member.rule(attributes, model, head) if chosen_by_rule(chosen) else None) or reason
    groups, own = getattr(chosen, "folds", 1), member.learner(model, inputs, chosen, seed)
    if pretrain:
        pretraining.check(member, chosen, problem.needs_target)
        own = own or pretraining.learner(model, inputs, chosen, seed)
    learner = learner_of(model) if own is None else own
    if isinstance(problem, Appraised):
        problem = problem.designed(inputs, model)
    table = layer_table(model)
    own_objective = own is not None
    return Design(member, problem, inputs, chosen, seed, model, table, rule, learner, groups, own_objective, pretrain)


def _check_suits(network: Network, problem: Problem, given: list[Tensor]) -> None:
    """Whether a network can answer a problem on such inputs.

    Raises:
        OptionError: it cannot.
    """
    fitting = [one.name for one in zoo if _suits(one, problem) and any(tensor.name in one.takes for tensor in given)]
    if not _suits(network, problem):
        raise OptionError(
            f"The network '{network.name}' answers the problems {', '.join(sorted(network.suits))}, and this one is "
            f"{problem.name}. Write --network with one of {', '.join(fitting)}."
        )
    if given and not any(tensor.name in network.takes for tensor in given):
        media = MEDIA.values()
        texts = dict.fromkeys((TOKENS, TERMS, WORDS), "texts") | {name: name for name in media}
        takes = " and ".join(sorted({texts.get(name, "tables") for name in network.takes}))
        raise OptionError(
            f"The network '{network.name}' takes {takes}, and these data are "
            f"{given[0].name if given[0].name in media else 'a table'}. Write --network with one of {', '.join(fitting)}."
        )


def _check_reads(network: Network, problem: Problem, given: list[Tensor]) -> None:
    """Whether a network reads the documents, if there are some.

    Raises:
        OptionError: it does not.
    """
    ways = {tensor.name for tensor in given} & {WORDS, TOKENS, TERMS}
    if ways and not ways & network.takes:
        reading = [one.name for one in zoo if _suits(one, problem) and ways & one.takes]
        others = f"Write --network with one of {', '.join(reading)}" if reading else "Name another problem"
        raise OptionError(
            f"The network '{network.name}' does not read documents, and there is a column of them. {others}, or leave the "
            "column out with --drop."
        )


def _suits(network: Network, problem: Problem) -> bool:
    return problem.name in network.suits or (network.rebuilds and not problem.needs_target)


def learner_of(model: keras.Model) -> keras.Model:
    """The part of a model that is trained: up to the layer ``members``, if it has one, else all of it."""
    import keras

    names = {layer.name for layer in model.layers}
    return (
        keras.Model({tensor.name: tensor for tensor in model.inputs}, model.get_layer("members").output)
        if "members" in names
        else model
    )


def chosen_by_rule(options: Any) -> bool:
    """Whether the network sizes itself: it has no list of hidden layers, or an empty one."""
    return not getattr(options, "hidden", []) and "hidden" in {f.name for f in fields(options)}


def branches(model: keras.Model) -> dict[str, list[str]]:
    """For each input the layers that it alone reaches, in the order of computation; the others join several inputs."""
    import keras

    reached: dict[str, set[str]] = {tensor.name: {tensor.name} for tensor in model.inputs}
    found: dict[str, list[str]] = {tensor.name: [] for tensor in model.inputs}
    for layer in model.layers:
        if layer.name in reached:
            continue
        given = [tensor._keras_history.operation.name for tensor in keras.tree.flatten(layer.input)]
        # A model inside this one has inputs of its own.
        reached[layer.name] = set().union(*(reached.get(name, set(found)) for name in given))
        if len(reached[layer.name]) == 1:
            found[min(reached[layer.name])].append(layer.name)
    return found


def rows_at_once(model: keras.Model, most: int) -> int:
    """How many rows a model is given at once, a power of two: ``most``, or fewer of large pictures or long series.

    A layer that holds more numbers for a row than it gives says how many in ``held``.
    """
    if not {tensor.name for tensor in model.inputs} & {*MEDIA.values(), TOKENS, TERMS}:
        return most
    sizes = [
        max(getattr(layer, "held", 1), math.prod(n for n in tensor.shape[1:] if n))
        for layer in _all_layers(model)
        for tensor in _outputs_of(layer)
    ]
    return min(most, 1 << max(2, int(math.log2(ACTIVATIONS / max(sizes)))))


@contextmanager
def half_precision(model: keras.Model, wanted: bool) -> Iterator[None]:
    """Where it is wanted, all layers of a model but its output compute in bfloat16; the weights stay float32."""
    layers = [layer for layer in _all_layers(model) if layer.name != "output"] if wanted else []
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = "mixed_bfloat16"
    try:
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.dtype_policy = own


def _all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Its layers and those of the models inside it."""
    import keras

    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return [*model.layers, *(layer for one in inner for layer in _all_layers(one))]


def _outputs_of(layer: keras.layers.Layer) -> list[Any]:
    return layer.output if isinstance(layer.output, list) else [layer.output]


def layer_table(model: keras.Model) -> list[dict[str, Any]]:
    """One dict per layer, in the order of computation: name, type, output_shape, parameters, note."""
    rows = []
    for layer in model.layers:
        notes = []
        activation = getattr(getattr(layer, "activation", None), "__name__", None)
        if activation and activation != "linear":
            notes.append(activation)
        if hasattr(layer, "rate"):
            notes.append(f"{layer.rate:.0%} dropped in training")
        if getattr(layer, "use_bias", False):
            notes.append("with bias")
        shape = layer.output.shape if not isinstance(layer.output, list | dict) else None
        rows.append(
            {
                "name": layer.name,
                "type": type(layer).__name__,
                "output_shape": list(shape) if shape is not None else None,
                "parameters": layer.count_params(),
                "note": ", ".join(notes),
            }
        )
    return rows
