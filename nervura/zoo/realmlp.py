"""RealMLP: a plain network for tables whose every detail was tuned on many of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import SCHEDULES, Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

ACTIVATIONS = {False: "selu", True: "mish"}
"""By whether a value is asked for, as in the paper."""

RATES = {False: 0.01, True: 0.2}
DROPOUT = {False: 0.3, True: 0.15}
"""By whether a value is asked for. For values as in the paper; for classes it has 0.04 and 0.15, which on tables of 5,000
rows are too sure of themselves: measured by log loss, which is what is judged here."""

ADAPTING_ROWS = 5_000
"""Rows by which the first weights are scaled."""


class RealMLP(Network):
    """Full connections in a row whose every detail was tuned on many tables: what enters, how weights begin, how fast
    each kind of weight learns.

    Numbers enter in units of their middle half, clipped softly, each beside a learnt mix of cosines of it. Columns of few
    levels enter as zeros and ones, others as learnt vectors. A learnt scale for each input chooses among them: it learns
    six times as fast as other weights, biases and activations ten times slower. First weights are normal and brought to
    the scale of the rows. The learning rate rises and falls in four waves, each twice as long as the last.

    With ``folds`` there is a net for each group, and each group leaves one fold of the rows out of its training:
    bagging, in one compiled step. Nets share nothing.

    Shapes: (batch, encoded inputs) -> (nets, batch, width) repeated -> (batch, nets, outputs) -> (batch, outputs).
    Cost: nets x (encoded inputs x width + blocks x width^2) weights, and as many products a row.
    Choose it beside TabM, whose mistakes are others; it is at its best for smooth values.
    Paper: Holzmüller, Grinsztajn and Steinwart, Better by Default, NeurIPS 2024, whose RealMLP-TD this is. How we differ:
    fewer epochs, and for classes a lower learning rate and more dropout; dropout and weight decay stay as they are, where
    the paper lowers both to zero over the second half; weight decay pulls scales as it does other weights, and all that
    learns slowly back to where it began; no label smoothing, which harms log loss; one output for two classes; outputs
    for values are not held within those of the training rows.
    """

    name = "realmlp"
    summary = "a plain network for tables, tuned in every detail"

    @dataclass
    class Options(TrainingOptions):
        hidden: list[int] = option([256, 256, 256], "neurons of each block", low=1, high=65_536)
        folds: int = option(
            0, "groups of nets, each trained without one fold of the rows; 0: by the number of rows", low=0, high=5
        )
        members: int = option(1, "nets of each group, which share nothing", low=1, high=64)
        activation: str = option(
            "auto",
            "what a hidden neuron does with its sum; auto: selu for classes, mish for values",
            choices=("auto", "selu", "mish", "relu", "gelu", "silu", "elu"),
        )
        dropout: float = option(
            -1.0,
            "share of hidden outputs set to zero in training, the rest scaled up; -1: 0.3 for classes, 0.15 for values",
            low=-1.0,
            high=0.95,
            search=(-1.0, 0.0, 0.15, 0.3),
        )
        one_hot: int = option(8, "columns of up to so many levels get an input for each", low=0, high=512)
        embedding: int = option(8, "length of the vector of a level, of columns with more", low=1, high=1_024)
        vector: int = option(4, "length of the vector of a number, itself included", low=2, high=256)
        waves: int = option(16, "cosines of each number", low=1, high=1_024)
        deviation: float = option(
            0.1, "of the first frequencies of the cosines", low=1e-3, high=100.0, search=(0.05, 0.1, 0.5)
        )
        epochs: int = option(64, "most passes over the training rows", low=1, high=100_000)
        patience: int = option(64, "passes without a better validation loss before training stops", low=1, high=100_000)
        batch_size: int = option(
            256, "rows per step; 0: by the number of rows (see the docs on training)", low=0, high=65_536
        )
        learning_rate: float = option(
            0.0,
            "size of a step at most; 0: 0.01 for classes, 0.2 for values",
            low=0.0,
            high=10.0,
            search=(0.01, 0.04, 0.2),
        )
        schedule: str = option(
            "coslog4",
            "how the learning rate changes over the epochs; coslog4: four waves, each twice as long as the last",
            choices=SCHEDULES,
        )
        beta_2: float = option(
            0.95, "share of the last squares of gradients kept, for adam and adamw", low=0.0, high=0.99999
        )
        weight_decay: float = option(
            0.02, "share of the weights taken away per unit of learning rate, for adamw", low=0.0, high=1.0
        )

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        value = head.activation == "linear"
        options.learning_rate = options.learning_rate or RATES[value]
        if options.dropout < 0:
            options.dropout = DROPOUT[value]
        if options.activation == "auto":
            options.activation = ACTIVATIONS[value]
        return None

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.feature_scale import FeatureScale
        from nervura.layers.partial_activation import PartialActivation
        from nervura.layers.tangent_dense import TangentDense

        x = FeatureScale(name="scaled")(self._enter(inputs, tensors, options, seeds))
        for i, size in enumerate(options.hidden, 1):
            x = TangentDense(size, seed=next(seeds), name=f"hidden_{i}")(x)
            x = PartialActivation(options.activation, name=f"activation_{i}")(x)
            if options.dropout:
                x = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{i}")(x)
        return x

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        from nervura.layers.member_mean import MemberMean
        from nervura.layers.tangent_outputs import TangentOutputs

        members = TangentOutputs(head.units, head.activation, seed=next(seeds), name="members")
        return MemberMean(name="output")(members(features))

    def prepare(self, model: keras.Model, batch: dict[str, np.ndarray]) -> None:
        step = max(1, -(-len(next(iter(batch.values()))) // ADAPTING_ROWS))
        super().prepare(model, {name: array[::step] for name, array in batch.items()})

    def _enter(
        self, inputs: dict[str, keras.KerasTensor], tensors: dict[str, Tensor], options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        """All inputs side by side, (nets, batch, encoded inputs)."""
        import keras

        from nervura.layers.few_levels import FewLevels
        from nervura.layers.grouped import Grouped
        from nervura.layers.level_embedding import LevelEmbedding
        from nervura.layers.periodic_embedding import PeriodicEmbedding
        from nervura.layers.robust_scale import RobustScale

        nets = max(1, options.folds) * options.members
        parts, plain = [], []
        if "numbers" in inputs:
            numbers = RobustScale(name="numbers_scaled")(inputs["numbers"])
            waves = PeriodicEmbedding(
                options.vector, options.waves, options.deviation, nets, seed=next(seeds), name="numbers_embedded"
            )
            parts.append(waves(numbers))
        if "flags" in inputs:
            plain.append(inputs["flags"])
        if "categories" in inputs:
            sizes = list(tensors["categories"].sizes)
            many = [size - 2 > options.one_hot for size in sizes]
            if not all(many):
                plain.append(FewLevels(sizes, options.one_hot, name="few_levels")(inputs["categories"]))
            if any(many):
                widths = [options.embedding * more for more in many]
                embedded = LevelEmbedding(sizes, widths, nets, 1.0, seed=next(seeds), name="many_levels")
                parts.append(embedded(inputs["categories"]))
        if plain:
            flat = plain[0] if len(plain) == 1 else keras.layers.Concatenate(name="plain")(plain)
            parts.append(Grouped(nets, name="plain_grouped")(RobustScale(name="plain_scaled")(flat)))
        return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="encoded")(parts)
