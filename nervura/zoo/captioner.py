"""A convolutional network that sees and a recurrent one that writes: a caption for each picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nervura import backend
from nervura.encoding import PICTURES
from nervura.layers.backbone import BACKBONES, IMAGENET, backbone_of, check_file, fitted
from nervura.zoo.base import PRECISIONS, LearningOptions, Network, Phase, option, settle_moves

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective
    from nervura.problems.base import Head

WIDEST = 256
FEWEST_REGIONS = 6
"""A side of the last maps has at least so many places."""

NAMING, WRITING, TOGETHER = "naming", "writing", "together"

FEATURES = "features"
COMPUTED_BYTES = 3 * 2**30
"""Regions of up to so many bytes are computed once and held; of more pictures each epoch computes them again."""


class Captioner(Network):
    """An encoder, a residual network of convolutions, turns the picture into regions; a decoder, a long short-term memory,
    writes a text about them word by word. With attention it looks at the regions anew for each word, and where it looked
    can be shown; without, it sees their mean once, at the beginning.

    Three phases. Naming: the encoder learns to say which of the commonest words occur in a picture's captions, from their
    share of the captions. Writing: the regions of all pictures are computed once, mirrored too where they may be, and the
    decoder learns to predict each word from the true ones before it (teacher forcing), a cheap epoch without
    convolutions. Together: both learn, at a low rate. New pictures are written about by beam search: so many texts are
    held at each step, and the likeliest for its length is the answer.

    With ``backbone=EfficientNetV2B0``, or another of Keras Applications, a network that has learnt from ImageNet is the encoder;
    there is nothing to name then, and it learns only together with the decoder, if it does.

    Pictures are shifted a little in training, and mirrored unless captions tell left from right.

    Shapes: (batch, height, width, channels) -> (batch, regions, maps) -> (batch, length + 1 + length x regions), the codes
    of the words, the logarithm of the text's probability and where each word was looked for.
    Cost: for 96 x 96 pixels 150 million products to see a picture and 3 million to write a word.
    Choose it where pictures are to be described; it has no rival here but the captions of other pictures.
    Papers: Vinyals, Toshev, Bengio and Erhan, Show and Tell (CVPR 2015), ``attention=no``; Xu et al., Show, Attend and Tell
    (ICML 2015), ``attention=yes``. How we differ: the encoder is trained here, by words as in Fang et al., From Captions to
    Visual Concepts and Back (CVPR 2015); attention is a scaled product, regions know their place, and the output shares
    its weights with the words' vectors.
    """

    name = "captioner"
    summary = "sees with convolutions, writes with a long short-term memory"
    takes = frozenset({"pictures"})
    suits = frozenset({"captioning"})

    @dataclass
    class Options(LearningOptions):
        attention: str = option(
            "yes", "whether the decoder looks at the regions anew for each word", choices=("yes", "no")
        )
        backbone: str = option(
            "none",
            "network of Keras Applications that sees; none: one that begins with nothing learnt",
            choices=("none", *BACKBONES),
        )
        weights: str = option(
            IMAGENET, "of the backbone. imagenet: by Keras's own download; else a file, as for the network pretrained"
        )
        width: int = option(32, "maps of the first stage; each further one has twice as many", low=1, high=1_024)
        units: int = option(512, "of the long short-term memory", low=1, high=16_384)
        embedding: int = option(256, "numbers that stand for a word", low=1, high=16_384)
        dropout: float = option(
            0.5, "share of the decoder's sums set to zero in training, the rest scaled up", low=0.0, high=0.95
        )
        word_dropout: float = option(0.1, "share of the words before that are hidden in training", low=0.0, high=0.95)
        label_smoothing: float = option(0.1, "share of certainty moved from the true word to all", low=0.0, high=0.5)
        beam: int = option(4, "texts that are held at each step of the search", low=1, high=64)
        length_penalty: float = option(
            0.7, "the logarithm of a text's probability is divided by its length to this power", low=0.0, high=4.0
        )
        shift: int = option(-1, "longest shift in training, in pixels; -1: a sixteenth of the side", low=-1, high=64)
        flips: str = option(
            "auto",
            "whether pictures are mirrored in training; auto: unless captions tell left from right",
            choices=("auto", "yes", "no"),
        )
        precision: str = option(
            "auto",
            "of the numbers that layers compute with in training; auto: bfloat16 where this processor has it and the "
            "backend is faster with it",
            choices=("auto", *PRECISIONS),
        )
        naming_epochs: int = option(30, "most passes in which the encoder learns to name words", low=1, high=100_000)
        epochs: int = option(30, "most passes in which the decoder learns to write", low=1, high=100_000)
        together_epochs: int = option(0, "most passes in which both learn then; 0: they do not", low=0, high=100_000)
        together_rate: float = option(1e-4, "size of a step when both learn", low=1e-9, high=1.0)
        patience: int = option(4, "passes without a better validation loss before a phase ends", low=1, high=100_000)
        batch_size: int = option(32, "rows per step; 0: by the number of rows", low=0, high=65_536)
        learning_rate: float = option(1e-3, "size of a step", low=1e-7, high=10.0)
        schedule: str = option(
            "stable_decay",
            "how the learning rate changes over the epochs of a phase; stable_decay: constant, then down in the last quarter",
            choices=("constant", "cosine", "triangular", "stable_decay"),
        )
        weight_decay: float = option(
            0.02, "share of the weights taken away per unit of learning rate, for adamw", low=0.0, high=1.0
        )
        clip_norm: float = option(
            5.0, "longest gradient allowed over all weights together; 0: no limit", low=0.0, high=1e6
        )

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        [pictures] = tensors
        told = None
        if options.backbone != "none" and options.weights != IMAGENET:
            check_file(options.weights)
        if options.flips == "auto":
            options.flips = "no" if head.sided else "yes"  # type: ignore[attr-defined]
            told = (
                f"Pictures are {'not ' if head.sided else ''}mirrored in training: the captions "  # type: ignore[attr-defined]
                f"{'' if head.sided else 'hardly '}tell left from right."  # type: ignore[attr-defined]
            )
        settle_moves(options, pictures)
        return told

    def phases(self, options: Any) -> list[Phase]:
        naming = Phase(NAMING, replace(options, epochs=options.naming_epochs), share=0.5)
        found = [
            *([naming] if options.backbone == "none" else []),
            Phase(WRITING, options, afresh=True, share=0.7 if options.together_epochs else 1.0),
        ]
        if options.together_epochs:
            rate = {"epochs": options.together_epochs, "learning_rate": options.together_rate}
            found.append(Phase(TOGETHER, replace(options, **rate)))
        return found

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.moved import Moved
        from nervura.layers.picture_scale import PictureScale

        def convolved(x: Any, maps: int, stride: int, name: str, kernel: int = 3) -> Any:
            start = keras.initializers.HeNormal(seed=next(seeds))
            x = keras.layers.Conv2D(maps, kernel, stride, "same", use_bias=False, kernel_initializer=start, name=name)(
                x
            )
            return keras.layers.BatchNormalization(name=f"{name}_normalized")(x)

        x = Moved(options.flips == "yes", options.shift, seed=next(seeds), name="moved")(inputs[PICTURES])
        if options.backbone != "none":
            x = fitted(x, options.backbone)
            x = backbone_of(options.backbone, options.weights, tuple(x.shape[1:]))(x)
            return keras.layers.Reshape((-1, x.shape[-1]), name=FEATURES)(x)
        x = PictureScale(name="scaled")(x)
        maps = options.width
        for stage in range(1, stages_for(x.shape[1:3]) + 1):
            name = f"stage_{stage}"
            x = keras.layers.Activation("relu", name=f"{name}_begun")(convolved(x, maps, 2, f"{name}_halved"))
            if stage > 1:  # the first stage, whose maps are the largest, is one convolution
                y = keras.layers.Activation("relu", name=f"{name}_between")(convolved(x, maps, 1, f"{name}_first"))
                y = keras.layers.Add(name=f"{name}_added")([x, convolved(y, maps, 1, f"{name}_second")])
                x = keras.layers.Activation("relu", name=f"{name}_done")(y)
            maps = min(2 * maps, WIDEST)
        return keras.layers.Reshape((-1, x.shape[-1]), name=FEATURES)(x)

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        from nervura.layers.caption_writer import CaptionWriter

        return CaptionWriter(
            head.units,
            head.length,  # type: ignore[attr-defined]
            options.units,
            options.embedding,
            options.attention == "yes",
            options.dropout,
            options.word_dropout,
            options.label_smoothing,
            options.beam,
            options.length_penalty,
            next(seeds),
            name="writer",
        )(features)

    def enter(self, learner: keras.Model, phase: Phase) -> None:
        learner.objective.enter(learner, phase.name)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.caption_objective import CaptionObjective
        from nervura.layers.row_loss import OwnObjective

        objective = CaptionObjective(model, seed)
        return OwnObjective(model, objective, objective.others, takes_target=True)

    def computed(
        self, model: keras.Model, phase: Phase, x: dict[str, np.ndarray], learnt: bool
    ) -> dict[str, np.ndarray]:
        import keras
        import numpy as np

        mirrored = learnt and phase.options.flips == "yes"
        layer = model.get_layer(FEATURES)
        regions = layer.output.shape[1:]
        size = 2 * (1 + mirrored) * len(x[PICTURES]) * int(np.prod(regions))
        if phase.name != WRITING or size > COMPUTED_BYTES:
            return x
        # What is computed in half precision is handed over in float32, which every backend can give away.
        seen = keras.layers.Activation("linear", dtype="float32")(layer.output)
        regions_of = backend.output_function(keras.Model({PICTURES: model.inputs[0]}, seen))
        made = np.empty((len(x[PICTURES]), 1 + mirrored, *regions), np.float16)
        for start in range(0, len(made), ENCODED_ROWS):
            rows = x[PICTURES][start : start + ENCODED_ROWS]
            for place, shown in enumerate((rows, rows[:, :, ::-1])[: 1 + mirrored]):
                made[start : start + ENCODED_ROWS, place] = regions_of({PICTURES: np.ascontiguousarray(shown)})
        return {FEATURES: made, **{name: rows for name, rows in x.items() if name != PICTURES}}


ENCODED_ROWS = 128


def stages_for(sides: tuple[int, ...]) -> int:
    """How often the sides of pictures are halved: as long as the shorter one keeps ``FEWEST_REGIONS`` places, and once."""
    side, stages = min(sides), 1
    while -(-side // 2 ** (stages + 1)) >= FEWEST_REGIONS:
        stages += 1
    return stages
