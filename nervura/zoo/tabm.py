"""TabM: many networks for tables that share nearly all of their weights and answer together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import ACTIVATIONS, SCHEDULES, Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

WORK = 2e11
"""Products of a training, forwards alone, that take about half a minute on two cores."""

FEWEST_EPOCHS, MOST_EPOCHS, USUAL_ROWS = 40, 200, 1_000

MOST_ONE_HOT = 512
"""Up to this many levels over all columns each gets an input of its own; of more, learnt vectors are cheaper."""


class TabM(Network):
    """Members that share the weights of one network and differ in small scales of their own: an ensemble for little
    more than the price of one network.

    Numbers become vectors that bend at the quantiles of the training rows, levels one input each (of many levels,
    learnt vectors). Every member scales these inputs in its own way, then come shared full connections, and each member
    has its own output. Members are trained for themselves, each by its own loss; the answer is the mean of theirs.

    With ``folds`` the members form groups with shared weights of their own, and each group leaves one fold of the rows
    out of its training: bagging, in one compiled step. Rows are then judged by the members that have not seen them.

    Shapes: (batch, encoded inputs) -> (groups, batch x members, width) repeated -> (batch, groups x members, outputs)
    -> (batch, outputs).
    Cost: members x (encoded inputs x width + blocks x width^2) products a row, and a group's weights only once.
    Choose it for tables of all sizes; it is the strongest network here, and the default.
    Paper: Gorishniy, Kotelnikov, Babenko, TabM, ICLR 2025: ``arch=tabm-mini`` scales the inputs alone, ``arch=tabm``
    every layer. The paper has 32 members in one group and width 512; here are fewer, narrower ones in five groups,
    which take less time. Numbers enter clipped softly instead of as ranks of a normal.
    """

    name = "tabm"
    summary = "many networks in one, for tables: shared weights, bagged (the default)"

    @dataclass
    class Options(TrainingOptions):
        hidden: list[int] = option(
            [128, 128],
            "neurons of each block",
            low=1,
            high=65_536,
            search=([64, 64], [128, 128], [256, 256], [128, 128, 128], [256]),
        )
        folds: int = option(
            0, "groups of members, each trained without one fold of the rows; 0: by the number of rows", low=0, high=5
        )
        members: int = option(4, "members of each group", low=1, high=256, search=(2, 4, 8))
        arch: str = option(
            "tabm-mini",
            "where members differ: in the scales of the inputs or of all layers",
            choices=("tabm-mini", "tabm"),
        )
        activation: str = option("relu", "what a hidden neuron does with its sum", choices=ACTIVATIONS)
        dropout: float = option(
            0.1,
            "share of hidden outputs set to zero in training, the rest scaled up",
            low=0.0,
            high=0.95,
            search=(0.0, 0.1, 0.2, 0.3),
        )
        embedding: int = option(
            16, "longest vector of a number or level; shorter for more than 20 numbers", low=1, high=1_024
        )
        bins: int = option(48, "most quantile bins per number", low=2, high=512, search=(8, 16, 48, 96))
        epochs: int = option(
            0,
            "most passes over the training rows; 0: up to 200, fewer, but at least 40, where one is much work",
            low=0,
            high=100_000,
        )
        schedule: str = option(
            "stable_decay",
            "how the learning rate changes over the epochs; stable_decay: constant, then down in the last quarter",
            choices=SCHEDULES,
        )
        patience: int = option(16, "passes without a better validation loss before training stops", low=1, high=100_000)
        learning_rate: float = option(2e-3, "size of a step", low=1e-7, high=10.0, search=(1e-3, 2e-3, 4e-3))
        weight_decay: float = option(
            3e-4,
            "share of the weights taken away per unit of learning rate, for adamw",
            low=0.0,
            high=1.0,
            search=(0.0, 3e-4, 3e-2),
        )
        clip_norm: float = option(
            1.0, "longest gradient allowed over all weights together; 0: no limit", low=0.0, high=1e6
        )

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        if not options.epochs:
            rows = tensors[0].facts.get("rows", USUAL_ROWS)
            possible = WORK / (max(1, rows) * self._products(options, head, tensors))
            options.epochs = max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(possible)))
        return None

    def _products(self, options: Any, head: Head, tensors: list[Tensor]) -> int:
        """How many products the full connections take for one row."""
        width = 0
        for tensor in tensors:
            if tensor.name == "numbers":
                width += tensor.width * self._vector(options, tensor.width)[0]
            elif tensor.name == "categories" and sum(tensor.sizes) > MOST_ONE_HOT:
                width += sum(min(options.embedding, size) for size in tensor.sizes)
            else:
                width += sum(tensor.sizes) or tensor.width
        widths = [width, *options.hidden, head.units]
        of_one = sum(before * after for before, after in pairwise(widths))
        return max(1, options.folds) * options.members * of_one

    @staticmethod
    def _vector(options: Any, columns: int) -> tuple[int, int]:
        """The length of a number's vector, and how many bins it has.

        Thousands of numbers would make millions of bins: bins and vectors shrink as the columns grow. Measured on 36
        numbers, vectors of 8 predict as well as those of 16, in two thirds of the time.
        """
        bins = max(2, min(options.bins, 8_192 // columns))
        return max(1, min(options.embedding, max(4, 320 // columns), 4_096 // columns)), bins

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.group_dense import GroupDense
        from nervura.layers.member_scale import MemberScale

        x, chunks = self._enter(inputs, tensors, options, seeds)
        x = MemberScale(
            options.members, signs="numbers" not in inputs, chunks=chunks, seed=next(seeds), name="members_apart"
        )(x)
        for i, size in enumerate(options.hidden, 1):
            of_each = options.members if options.arch == "tabm" else 0
            # The first block's R are the scales of the inputs.
            x = GroupDense(size, of_each, before=i > 1 or not of_each, seed=next(seeds), name=f"hidden_{i}")(x)
            x = keras.layers.Activation(options.activation, name=f"activation_{i}")(x)
            if options.dropout:
                x = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{i}")(x)
        return x

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        from nervura.layers.member_mean import MemberMean
        from nervura.layers.member_outputs import MemberOutputs

        members = MemberOutputs(head.units, options.members, head.activation, seed=next(seeds), name="members")
        return MemberMean(name="output")(members(features))

    def _enter(
        self, inputs: dict[str, keras.KerasTensor], tensors: dict[str, Tensor], options: Any, seeds: Iterator[int]
    ) -> tuple[keras.KerasTensor, list[int]]:
        """All inputs side by side, (groups, batch, encoded inputs), and how many of them belong to one column."""
        import keras

        from nervura.layers.bin_embedding import BinEmbedding
        from nervura.layers.grouped import Grouped
        from nervura.layers.level_embedding import LevelEmbedding
        from nervura.layers.one_hot import OneHot
        from nervura.layers.smooth_clip import SmoothClip

        groups = max(1, options.folds)
        parts, chunks = [], []
        if "numbers" in inputs:
            columns = tensors["numbers"].width
            width, bins = self._vector(options, columns)
            clipped = SmoothClip(name="clipped")(inputs["numbers"])
            parts.append(BinEmbedding(width, bins, groups, seed=next(seeds), name="numbers_embedded")(clipped))
            chunks += [width] * columns
        if "flags" in inputs:
            parts.append(Grouped(groups, name="flags_grouped")(inputs["flags"]))
            chunks += [1] * tensors["flags"].width
        if "categories" in inputs:
            sizes = list(tensors["categories"].sizes)
            if sum(sizes) <= MOST_ONE_HOT:
                levels = OneHot(sizes, name="levels")(inputs["categories"])
                parts.append(Grouped(groups, name="levels_grouped")(levels))
                chunks += sizes
            else:
                widths = [min(options.embedding, size) for size in sizes]
                embedded = LevelEmbedding(sizes, widths, groups, seed=next(seeds), name="levels")
                parts.append(embedded(inputs["categories"]))
                chunks += widths
        x = parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="encoded")(parts)
        return x, chunks
