"""The contract of a network: options with help, the kinds of input it takes, and how its Keras model is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

from nervura.encoding import PICTURES, SERIES, WORDS
from nervura.errors import OptionError, did_you_mean
from nervura.rebuilding import layout

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective
    from nervura.problems.base import Head

SAMPLED_VALUES = 2**24
"""So many of the pictures' values are looked at before training: 5,461 pictures of 32 x 32 x 3."""

SERIES_AT_ONCE = 32

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", "selu", "elu")


def option(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    search: tuple[Any, ...] | None = None,
) -> Any:
    """A field of an options class: its default, its help, its bounds or choices and the values worth searching."""
    metadata = {"help": help, "low": low, "high": high, "choices": choices, "search": search}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


SCHEDULES = ("constant", "cosine", "coslog4", "triangular", "stable_decay")


@dataclass
class LearningOptions:
    """What every network that learns by gradients can be told."""

    epochs: int = option(200, "most passes over the training rows", low=1, high=100_000)
    patience: int = option(20, "passes without a better validation loss before training stops", low=1, high=100_000)
    batch_size: int = option(
        0, "rows per step; 0: by the number of rows (see the docs on training)", low=0, high=65_536
    )
    optimizer: str = option(
        "adamw",
        "rule that turns gradients into steps; lookahead: sgd that every 5 steps goes part of the way back",
        choices=("sgd", "rmsprop", "adam", "adamw", "lookahead"),
    )
    learning_rate: float = option(1e-3, "size of a step", low=1e-7, high=10.0, search=(3e-4, 1e-3, 3e-3))
    schedule: str = option(
        "constant",
        "how the learning rate changes over the epochs; coslog4: four waves, each twice as long as the last; "
        "triangular: up for 23 % of the steps, then down; stable_decay: constant, then down in the last quarter",
        choices=SCHEDULES,
    )
    momentum: float = option(0.9, "share of the last step kept, for sgd and lookahead", low=0.0, high=0.999)
    beta_2: float = option(
        0.999, "share of the last squares of gradients kept, for adam and adamw", low=0.0, high=0.99999
    )
    weight_decay: float = option(
        0.0, "share of the weights taken away per unit of learning rate, for adamw and lookahead", low=0.0, high=1.0
    )
    clip_norm: float = option(0.0, "longest gradient allowed over all weights together; 0: no limit", low=0.0, high=1e6)


@dataclass
class TrainingOptions(LearningOptions):
    """What every network that predicts a target can be told. A network's options extend these."""

    label_smoothing: float = option(0.0, "share of certainty moved from the true class to all", low=0.0, high=0.5)
    class_weight: str = option(
        "none", "balanced: every class weighs the same in the loss", choices=("none", "balanced")
    )


PRECISIONS = ("float32", "bfloat16")


@dataclass
class PictureOptions(TrainingOptions):
    """What every network of pictures can be told besides; see ``nervura.mixing``."""

    mixup: float = option(
        0.0, "pictures of a batch are blended by shares from Beta(mixup, mixup); 0: they are not", low=0.0, high=100.0
    )
    cutmix: float = option(
        0.0,
        "a rectangle of another picture is pasted in, its area from Beta(cutmix, cutmix); 0: it is not",
        low=0.0,
        high=100.0,
    )
    precision: str = option(
        "auto",
        "of the numbers that layers compute with in training; auto: bfloat16 where this processor has it and the "
        "backend is faster with it",
        choices=("auto", *PRECISIONS),
    )


@dataclass
class MovingOptions(PictureOptions):
    """What networks that move pictures in training (``nervura.layers.moved``) can be told besides; see ``settle_moves``."""

    shift: int = option(-1, "longest shift in training, in pixels; -1: a sixteenth of the side", low=-1, high=64)
    flips: str = option(
        "auto",
        "whether pictures are mirrored in training; auto: unless mirrored training pictures look like other classes",
        choices=("auto", "yes", "no"),
    )


@dataclass
class SequenceOptions(TrainingOptions):
    """What every network of sequences that learns by gradients can be told besides."""

    patch: int = option(
        0, "neighbouring moments of a series that are one step; 0: by the length of the series", low=0, high=4_096
    )
    embedding: int = option(64, "numbers of the learnt vector of a token", low=1, high=4_096, search=(32, 64, 128))
    epochs: int = option(100, "most passes over the training rows", low=1, high=100_000)
    patience: int = option(15, "passes without a better validation loss before training stops", low=1, high=100_000)
    batch_size: int = option(32, "rows per step; 0: by the number of rows", low=0, high=65_536)
    clip_norm: float = option(1.0, "longest gradient allowed over all weights together; 0: no limit", low=0.0, high=1e6)


@dataclass
class RecurrentOptions(SequenceOptions):
    """What every recurrent network can be told besides."""

    learning_rate: float = option(1e-3, "size of a step", low=1e-7, high=10.0, search=(3e-4, 1e-3, 3e-3))
    units: int = option(64, "numbers that a layer remembers", low=1, high=4_096, search=(32, 64, 128))
    layers: int = option(1, "recurrent layers one upon the other", low=1, high=16, search=(1, 2))
    bidirectional: bool = option(True, "whether each layer also reads from the end to the beginning")
    readout: str = option(
        "both",
        "what is read of the last layer: its state at the end, or the mean, the largest value or both over all steps",
        choices=("last", "mean", "max", "both"),
        search=("last", "both"),
    )
    dropout: float = option(
        0.1,
        "share of what a layer is given set to zero in training, the rest scaled up",
        low=0.0,
        high=0.95,
        search=(0.0, 0.1, 0.3),
    )


@dataclass(frozen=True)
class Phase:
    """A part of a training, with an optimiser of its own.

    Attributes:
        name: what people are told of it.
        options: those of the training, with the epochs and the learning rate of this phase.
        afresh: whether it makes another loss small than the phase before: the best is then sought anew.
        share: of the time left, the most that it takes; the last phase has all of it.
    """

    name: str
    options: Any
    afresh: bool = False
    share: float = 1 / 3


class Network:
    """One architecture. A subclass in a file of this folder is found by the shelf; its docstring is its page.

    Attributes:
        takes: the tensors it can use: ``numbers``, ``flags``, ``categories`` and ``words`` of tables, ``pictures``, whose
            bytes a network itself turns into numbers and scales, ``series``, whose ends it finds by what is NaN, or of
            texts ``tokens`` in their order or weighted ``terms``.
        suits: the problems it can answer.
        stretch: how many times the epochs of its rule a training may have under a time budget, where it gains from them.
        rebuilds: whether it gives back its input (``Rebuilding``); it then suits every problem without a target.
        pretrains: whether its layers up to the output can learn from rows without a target first; ``nervura.pretraining``
            teaches them, or the network's own phases do.
        straight: whether it has a linear path of its own from a window to the steps ahead; to others one is added
            (``nervura.layers.window_ridge``), so that they learn what it leaves.
        Options: a dataclass that extends ``TrainingOptions``, or ``LearningOptions`` where it rebuilds.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset({"numbers", "flags", "categories", "words"})
    suits: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "regression"})
    stretch: ClassVar[int] = 1
    rebuilds: ClassVar[bool] = False
    pretrains: ClassVar[bool] = False
    straight: ClassVar[bool] = False
    Options: ClassVar[type[LearningOptions]] = TrainingOptions

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        """The last hidden representation, shape (batch, width), from inputs of shapes (batch, *tensor.shape).

        Args:
            inputs: symbolic inputs by name; ``tensors`` describes them.
            head: the output layer that will follow.
            options: an instance of ``Options``.
            seeds: gives one seed for every initialiser and random layer, so that a model is a function of its seed.
        """
        raise NotImplementedError

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        """The outputs, shape (batch, units). The default is one full connection, as the problem asks; beside a straight path
        it begins by adding nothing."""
        import keras

        start = keras.initializers.GlorotUniform(seed=next(seeds))
        return keras.layers.Dense(
            head.units,
            activation=head.activation,
            kernel_initializer="zeros" if head.ahead else start,
            name="output",
        )(features)

    def build(self, tensors: list[Tensor], head: Head, options: Any, seed: int) -> keras.Model:
        """The predicting model. Its inputs are a dict of the tensors by name."""
        import keras

        used = {tensor.name: tensor for tensor in tensors if tensor.name in self.takes}
        inputs = {name: keras.Input(tensor.shape, dtype=tensor.dtype, name=name) for name, tensor in used.items()}
        seeds = seeds_from(seed)
        features = self.features(*words_as_flags(inputs, used), head, options, seeds)
        made = self.head(features, head, options, seeds)
        if head.ahead and not self.straight:
            from nervura.layers.window_ridge import window_ridge

            ahead = window_ridge(used[SERIES], head, "straight")(inputs[SERIES])
            made = keras.layers.Add(name="ahead")([ahead, made])
        return keras.Model(inputs, made, name=self.name)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        """What trains ``model`` by an objective of the network's own; None where the problem's loss is made small."""
        return None

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        """Gives the options that were left to the problem and the data their values, and says why where people should
        know; by default there are none."""
        return None

    def at_hand(self) -> bool:
        """Whether it can be trained, with its own options, without a download."""
        return True

    def phases(self, options: Any) -> list[Phase]:
        """The parts of a training in their order; by default there is one. Each begins with the best weights so far."""
        return [Phase("training", options)]

    def enter(self, learner: keras.Model, phase: Phase) -> None:
        """Sets which layers of what is trained learn in a phase; by default all of them do, in all phases.

        ``learner`` is the predicting model, or the one around it with an objective of its own.
        """

    def computed(
        self, model: keras.Model, phase: Phase, x: dict[str, np.ndarray], learnt: bool
    ) -> dict[str, np.ndarray]:
        """What stands in the place of the encoded rows ``x`` in a phase: what layers that do not learn in it make of them,
        computed once, so that an epoch is cheap. By default the rows themselves.

        Args:
            learnt: whether these are the rows to learn from; the others decide when to stop.
        """
        return x

    def begin(self, model: keras.Model, steps: int) -> None:
        """Tells every layer with a ``begin`` method, which changes with the epochs, how many steps one has."""
        for layer in model.layers:
            if hasattr(layer, "begin"):
                layer.begin(steps)

    def rule(self, attributes: int, model: keras.Model, head: Head) -> str | None:
        """How the network sized itself, in words; asked when its option ``hidden`` is empty."""
        return None

    def prepare(self, model: keras.Model, batch: dict[str, np.ndarray]) -> None:
        """Sets, once before training, what layers take from the data: means, spreads, bins.

        Every layer with an ``adapt`` method is given the rows that reach it. ``batch`` is the training rows or, of
        many, a sample; of pictures and series a smaller one is taken from it.
        """
        import keras
        import numpy as np

        most = {PICTURES: SAMPLED_VALUES, SERIES: SAMPLED_VALUES // 64}
        batch = {name: sample(rows, most[name]) if name in most else rows for name, rows in batch.items()}
        for layer in model.layers:
            if hasattr(layer, "adapt"):
                reaching = keras.Model(model.inputs, layer.input)
                arrays = [batch[tensor.name] for tensor in model.inputs]
                step = SERIES_AT_ONCE if SERIES in batch else len(arrays[0])
                parts = [[a[start : start + step] for a in arrays] for start in range(0, len(arrays[0]), step)]
                reached = [keras.ops.convert_to_numpy(reaching(part, training=False)) for part in parts]
                layer.adapt(np.concatenate(reached))


def words_as_flags(
    inputs: dict[str, keras.KerasTensor], tensors: dict[str, Tensor]
) -> tuple[dict[str, keras.KerasTensor], dict[str, Tensor]]:
    """The same inputs with the words of documents, weighted, at the end of the flags: each is a column that few rows have."""
    import keras

    from nervura.layers.word_weights import WordWeights

    if WORDS not in inputs:
        return inputs, tensors
    found, told = dict(inputs), dict(tensors)
    weighted, words = WordWeights(name="word_weights")(found.pop(WORDS)), told.pop(WORDS)
    if "flags" not in found:
        return {**found, "flags": weighted}, {**told, "flags": replace(words, name="flags", dtype="float32")}
    both = keras.layers.Concatenate(name="flags_and_words")([found["flags"], weighted])
    features = (*told["flags"].features, *words.features)
    attributes = told["flags"].attributes + words.attributes
    told["flags"] = replace(told["flags"], features=features, attributes=attributes, shape=(len(features),))
    return {**found, "flags": both}, told


REBUILDING_ACTIVATIONS = (*ACTIVATIONS, "linear")
LONGEST_CODE, WIDEST_LAYER, NARROWEST_LAYER = 30, 1_000, 64
"""Of an autoencoder that sizes itself."""


MOST_RECURRENT_STEPS = 128
"""Recurrent networks read a longer series several moments at a time."""


class RecurrentNetwork(Network):
    """What the recurrent networks share: layers of one kind, one upon the other (``nervura.layers.sequence``).

    Attributes:
        layer: the name of the kind in ``keras.layers``.
    """

    takes = frozenset({"series", "tokens"})
    suits = Network.suits | {"forecasting"}
    Options: ClassVar[type[LearningOptions]] = RecurrentOptions
    layer: ClassVar[str]

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        from nervura.layers.sequence import settle_patch

        return settle_patch(options, tensors, MOST_RECURRENT_STEPS)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.sequence import recurrent, steps_of

        x, present = steps_of(inputs, tensors, options, seeds)
        return recurrent(getattr(keras.layers, self.layer), x, present, options, seeds, **self.arguments(options))

    def arguments(self, options: Any) -> dict[str, Any]:
        """What each layer is told besides."""
        return {}


@dataclass
class RebuildingOptions(LearningOptions):
    """What every network that rebuilds its input can be told."""

    epochs: int = option(200, "most passes over the training rows", low=1, high=100_000)
    latent_dim: int = option(
        0, "numbers of the code; 0: a third of the values of a row, 30 at most", low=0, high=65_536
    )
    hidden: list[int] = option(
        [],
        "neurons of each layer down to the code, such as 1000x500x250, mirrored behind it; empty: by rule",
        low=1,
        high=65_536,
    )
    activation: str = option("gelu", "what a hidden neuron does with its sum", choices=REBUILDING_ACTIVATIONS)
    pixels: str = option(
        "squared_error",
        "what is made small of pictures, whose pixels go from 0 to 1",
        choices=("squared_error", "cross_entropy"),
    )


@dataclass
class ConvolvingOptions(RebuildingOptions):
    """What networks can be told besides that have ways of their own with pictures; see ``nervura.layers.convolved``."""

    convolutional: str = option(
        "no", "whether convolutions lead to the code of pictures and back", choices=("yes", "no")
    )
    filters: list[int] = option(
        [], "filters of each convolution, which halves the sides, such as 32,64; empty: by rule", low=1, high=4_096
    )
    shift: int = option(0, "longest shift of pictures in training, in pixels", low=0, high=64)
    precision: str = option(
        "auto",
        "of the numbers that layers compute with in training; auto: of pictures bfloat16 where this processor has it and "
        "the backend is faster with it",
        choices=("auto", *PRECISIONS),
    )


@dataclass
class StraightOptions(ConvolvingOptions):
    """What networks can be told besides that have a straight path beside their hidden layers; see ``Rebuilding``."""

    straight: str = option(
        "auto",
        "whether a linear path that begins as principal components lies beside the hidden layers; auto: for tables "
        "without documents",
        choices=("auto", "yes", "no"),
    )


class Rebuilding(Network):
    """What the networks share that squeeze a row into a code and rebuild it from that.

    The outputs of the predicting model are code, rebuilt row and given row side by side
    (``nervura.rebuilding.Layout``). Its layers are called ``given``, ``code``, ``decoded`` (the last sums) and
    ``rebuilt``. A subclass changes ``encode`` or ``decode``, or the objective in ``learner``.

    Where the option ``straight`` says so, a linear path leads to the code and another from it, to which the hidden layers
    add what they have learnt. Before training the paths are principal components, and the hidden layers add nothing: few
    rows are then rebuilt no worse than by those.
    """

    takes = frozenset({"numbers", "flags", "categories", "words", "pictures"})
    suits = frozenset({"embedding"})
    rebuilds = True
    Options: ClassVar[type[LearningOptions]] = RebuildingOptions

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        """Sizes the hidden layers and the code, where they were left open."""
        width, by_rule = layout(tensors, 0).width, []
        pictures = next((tensor for tensor in tensors if tensor.name == PICTURES), None)
        if getattr(options, "straight", "") == "auto":
            options.straight = "no" if any(tensor.name in (PICTURES, WORDS) for tensor in tensors) else "yes"
        if hasattr(options, "convolutional"):
            _settle_convolutions(options, pictures)
        if not options.latent_dim:
            options.latent_dim = max(1, min(LONGEST_CODE, round(width / 3)))
            by_rule.append(f"a code of {options.latent_dim}")
        if is_convolutional(options):
            by_rule.append(f"convolutions of {', '.join(map(str, options.filters))} filters")
        elif not options.hidden:
            options.hidden = sizes_by_rule(width)
            by_rule.append("hidden layers of {}, {} and {}".format(*options.hidden))
        return f"By rule {' and '.join(by_rule)}, for {width:,} values a row." if by_rule else None

    def build(self, tensors: list[Tensor], head: Head, options: Any, seed: int) -> keras.Model:
        import keras

        from nervura.layers.given import blocks_of, given_rows
        from nervura.layers.rebuilt import Rebuilt

        seeds = seeds_from(seed)
        used = [tensor for tensor in tensors if tensor.name in self.takes]
        inputs = {t.name: keras.Input(t.shape, dtype=t.dtype, name=t.name) for t in used}
        shift = options.shift if isinstance(options, ConvolvingOptions) else 0
        given = given_rows(inputs, used, shift, seed)
        code = self.encode(given, self.reach(given, used, options, seeds), options, seeds)
        decoded = self.decode(code, used, options, seeds)
        rebuilt = Rebuilt(blocks_of(tensors), name="rebuilt")(decoded)
        return keras.Model(inputs, keras.layers.Concatenate(name="output")([code, rebuilt, given]), name=self.name)

    def reach(
        self, given: keras.KerasTensor, tensors: list[Tensor], options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        """The last hidden layer (batch, n) before the code of rows (batch, width)."""
        from nervura.layers.convolved import convolved
        from nervura.layers.straight import dense

        x = given
        if is_convolutional(options):
            x = convolved(x, tensors[0].shape, options.filters, options.activation, seeds)
        for number, size in enumerate(options.hidden, 1):
            x = dense(size, options.activation, seeds, f"encoder_{number}")(x)
        return x

    def encode(
        self, given: keras.KerasTensor, reached: keras.KerasTensor, options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        """The code (batch, latent_dim) of rows (batch, width) and the last hidden layer, by a layer called ``code``."""
        from nervura.layers.straight import joined

        return joined(given, reached, options.latent_dim, seeds, "code", is_straight(options))

    def decode(
        self, code: keras.KerasTensor, tensors: list[Tensor], options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        """The sums (batch, width) that a row is rebuilt from, given by a layer called ``decoded``."""
        from nervura.layers.convolved import deconvolved
        from nervura.layers.straight import dense, joined

        x = code
        for number, size in zip(range(len(options.hidden), 0, -1), reversed(options.hidden), strict=True):
            x = dense(size, options.activation, seeds, f"decoder_{number}")(x)
        if is_convolutional(options):
            return deconvolved(x, tensors[0].shape, options.filters, options.activation, seeds)
        return joined(code, x, layout(tensors, 0).width, seeds, "decoded", is_straight(options))

    def prepare(self, model: keras.Model, batch: dict[str, np.ndarray]) -> None:
        from nervura.layers.straight import straighten

        super().prepare(model, batch)
        if any(layer.name == "decoded_straight" for layer in model.layers):
            straighten(model, batch)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.rebuilding_objective import RebuildingObjective
        from nervura.layers.row_loss import OwnObjective

        return OwnObjective(model, RebuildingObjective(model, options.pixels))


def is_convolutional(options: Any) -> bool:
    """Whether convolutions lead to the code and back; networks that have none have no such option."""
    return getattr(options, "convolutional", "no") == "yes"


def _settle_convolutions(options: Any, pictures: Tensor | None) -> None:
    """Decides whether there are convolutions, and their filters.

    Raises:
        OptionError: they are asked for where they cannot be.
    """
    options.shift = min(options.shift, min(pictures.shape[:2]) - 1) if pictures else 0
    if options.convolutional == "yes" and pictures is None:
        raise OptionError("Convolutions are for pictures, and these data are a table. Leave convolutional=yes out.")
    if options.convolutional == "yes" and is_straight(options):
        raise OptionError("A straight path lies beside full connections, not convolutions. Leave one of both out.")
    if pictures is not None and options.convolutional == "yes" and not options.filters:
        from nervura.layers.convolved import filters_by_rule

        options.filters = filters_by_rule(*pictures.shape[:2])


def sizes_by_rule(width: int) -> list[int]:
    """The hidden layers down to the code of rows with so many values."""
    first = max(NARROWEST_LAYER, min(WIDEST_LAYER, 2 * width))
    return [first, first // 2, first // 4]


def is_straight(options: Any) -> bool:
    """Whether a network is to have a straight path; those that cannot have one have no such option."""
    return getattr(options, "straight", "no") == "yes"


def settle_moves(options: Any, pictures: Tensor, share: int = 16) -> str | None:
    """Gives the option ``shift`` its value, one in ``share`` pixels of the shorter side, and ``flips``, where it is
    ``auto``, by what the training pictures told; says why."""
    side = min(pictures.shape[:2])
    options.shift = min(round(side / share) if options.shift < 0 else options.shift, side - 1)
    if options.flips != "auto":
        return None
    told = pictures.facts.get("mirroring")
    options.flips = "yes" if told and told["alike"] else "no"
    if not told:
        return None
    if told["distance"] is None:
        return f"Pictures are not mirrored in training: {told['pictures']} are too few to tell whether they may be."
    return (
        f"Pictures {'are' if told['alike'] else 'are not'} mirrored in training: of {told['pictures']:,} training "
        f"pictures, mirrored ones are {told['distance']:.2f} times as far from their nearest others as they are "
        f"unmirrored, and the nearest five answer with a skill of {told['skill_mirrored']:.2f} beside "
        f"{told['skill']:.2f}."
    )


def sample(rows: np.ndarray, values: int = SAMPLED_VALUES) -> np.ndarray:
    """Pictures or series spread evenly over the given ones, of at most so many values together, and two at least."""
    most = max(2, values // max(1, rows[0].size))
    return rows[:: max(1, -(-len(rows) // most))]


def seeds_from(seed: int | list[int]) -> Iterator[int]:
    """An endless row of seeds that depends on ``seed`` alone."""
    import numpy as np

    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31 - 1))


def read_options(kind: type[LearningOptions], given: dict[str, Any]) -> Any:
    """An instance of an options class from names and values; strings, as the command line has them, are read.

    Raises:
        OptionError: unknown names and values out of bounds, all mistakes at once.
    """
    known = {f.name: f for f in fields(kind)}
    mistakes, values = [], {}
    for name, value in given.items():
        if name not in known:
            mistakes.append(f"There is no option '{name}'. {did_you_mean(name, list(known))}")
            continue
        try:
            values[name] = _read_value(known[name], value)
        except ValueError as error:
            mistakes.append(f"{name}={value!r}: {error}")
    if mistakes:
        raise OptionError(" ".join(mistakes) + " Write --set NAME=VALUE.")
    return kind(**values)


def _read_value(of: Any, value: Any) -> Any:
    default = of.default if of.default is not NO_DEFAULT else of.default_factory()
    bounds = of.metadata
    if isinstance(default, list):
        parts = (
            value.replace("x", ",").split(",")
            if isinstance(value, str)
            else list(value)
            if hasattr(value, "__iter__")
            else [value]
        )
        read: Any = [_number(part, int, bounds) for part in parts if str(part).strip()]
    elif isinstance(default, bool):
        words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if str(value).lower() not in words:
            raise ValueError("must be yes or no.")
        read = words[str(value).lower()]
    elif isinstance(default, int | float):
        read = _number(value, type(default), bounds)
    else:
        read = str(value)
        if bounds["choices"] and read not in bounds["choices"]:
            raise ValueError(did_you_mean(read, bounds["choices"]))
    return read


def _number(value: Any, kind: type, bounds: Any) -> Any:
    try:
        read = kind(value)
        exact = float(read) == float(value)
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact:
        raise ValueError(f"must be a{' whole' if kind is int else ''} number.")
    low, high = bounds["low"], bounds["high"]
    if (low is not None and read < low) or (high is not None and read > high):
        raise ValueError(f"must lie between {low:g} and {high:g}.")
    return read


def describe_options(kind: type[LearningOptions]) -> list[dict[str, Any]]:
    """One dict per option for people and forms: option, default, meaning, allowed."""
    described = []
    for f in fields(kind):
        default = f.default if f.default is not NO_DEFAULT else f.default_factory()  # type: ignore[misc,operator]
        bounds = f.metadata
        allowed = ", ".join(bounds["choices"]) if bounds["choices"] else ""
        if bounds["low"] is not None:
            allowed = f"{bounds['low']:g} to {bounds['high']:g}"
        shown = ",".join(map(str, default)) if isinstance(default, list) else default
        described.append({"option": f.name, "default": shown, "meaning": bounds["help"], "allowed": allowed})
    return described


def options_to_json(options: Any) -> dict[str, Any]:
    return asdict(options)
