"""Networks that have learnt from a million photographs, taken over for other pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError
from nervura.layers.backbone import BACKBONES, DEFAULT, IMAGENET, at_hand, backbone_of, check_file, fitted
from nervura.zoo.base import MovingOptions, Network, Phase, option, settle_moves

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class Pretrained(Network):
    """What a network has learnt from the million photographs of ImageNet (edges, textures, parts of things) serves for
    other pictures as well; only what is made of it has to be learnt, which few pictures are enough for.

    Two phases. Feature extraction: the backbone, any network of Keras Applications without its last layer, stays as it is,
    and one full connection learns from the mean over its last maps. Fine-tuning: the backbone learns too, at a much lower
    rate, so that it does not forget. Its batch normalisation keeps the statistics of ImageNet throughout, and nothing in it
    is dropped at random. A phase ends with its epochs or when patience is spent; fine-tuning begins with the best weights.

    Pictures are shifted a little, and mirrored where the training pictures allow it. Then they are brought to what the
    backbone knows, inside the model: scaled as Keras's ``preprocess_input`` does, enlarged where it needs more pixels, grey
    ones in three equal channels.

    The weights are Keras's own, downloaded once to the folder ``models`` in ``~/.keras`` or in KERAS_HOME
    (``weights=imagenet``), or those in a file: ``weights=FILE``, a ``.weights.h5`` file of the backbone, a ``.keras`` file
    of it or of a network that has it inside, such as an earlier run's, or an ``.h5`` file from Keras without its top.

    Shapes: (batch, height, width, channels) -> (batch, height / 32, width / 32, maps) -> (batch, maps) -> (batch, outputs).
    Cost: EfficientNetV2B0 5.9 million weights and 0.7 billion products for 224 x 224 pixels; fine-tuning takes about three
    times as long as feature extraction.
    Choose it for photographs of things, from about 64 pixels a side and up to a few thousand; it is their default where
    the weights are there already. Larger pictures (``--size 224``) show it more.
    Papers: Yosinski, Clune, Bengio and Lipson, How transferable are features in deep neural networks? (NeurIPS 2014);
    Kornblith, Shlens and Le, Do Better ImageNet Models Transfer Better? (CVPR 2019); Tan and Le, EfficientNetV2 (ICML 2021).
    """

    name = "pretrained"
    summary = "a network that has learnt from ImageNet, carried over to few photographs"
    takes = frozenset({"pictures"})

    @dataclass
    class Options(MovingOptions):
        backbone: str = option(DEFAULT, "network of Keras Applications that is carried over", choices=BACKBONES)
        weights: str = option(
            IMAGENET, "imagenet: by Keras's own download; else a file: .weights.h5, .keras or Keras's .h5 without top"
        )
        alpha: float = option(1.0, "width of MobileNet, MobileNetV2 and MobileNetV3", low=0.1, high=2.0)
        frozen_epochs: int = option(
            8, "most passes before the backbone learns too; as many as epochs: it never does", low=0, high=100_000
        )
        fine_tuning_rate: float = option(1e-4, "size of a step once the backbone learns", low=1e-9, high=1.0)
        unfrozen: float = option(
            1.0, "share of the backbone's layers, counted from its end, that learn in fine-tuning", low=0.0, high=1.0
        )
        dropout: float = option(
            0.2, "share of the features set to zero in training, the rest scaled up", low=0.0, high=0.95
        )
        epochs: int = option(24, "most passes over the training rows, in both phases together", low=1, high=100_000)
        patience: int = option(5, "passes without a better validation loss before a phase ends", low=1, high=100_000)
        batch_size: int = option(32, "rows per step; 0: by the number of rows", low=0, high=65_536)
        learning_rate: float = option(1e-3, "size of a step while the backbone is frozen", low=1e-7, high=10.0)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        [pictures] = tensors
        if options.alpha != 1.0 and not options.backbone.startswith("MobileNet"):
            raise OptionError(
                f"alpha is the width of MobileNets; {options.backbone} has none. Write --set backbone=MobileNetV2, or leave "
                "alpha out."
            )
        if options.weights != IMAGENET:
            check_file(options.weights)
        return settle_moves(options, pictures)

    def at_hand(self) -> bool:
        return at_hand()

    def phases(self, options: Any) -> list[Phase]:
        frozen = min(options.frozen_epochs, options.epochs)
        found = []
        if frozen:
            found.append(Phase(EXTRACTION, replace(options, epochs=frozen)))
        if options.epochs > frozen:
            rate = {"epochs": options.epochs - frozen, "learning_rate": options.fine_tuning_rate}
            found.append(Phase(FINE_TUNING, replace(options, **rate)))
        return found

    def enter(self, learner: keras.Model, phase: Phase) -> None:
        import keras

        layers = learner.get_layer("backbone").layers
        learning = round(phase.options.unfrozen * len(layers)) if phase.name == FINE_TUNING else 0
        for place, layer in enumerate(layers):
            # What is not trainable normalises by the statistics it has; a call with training=False would be overruled.
            kept = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = place >= len(layers) - learning and not kept

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

        x = Moved(options.flips == "yes", options.shift, seed=next(seeds), name="moved")(inputs["pictures"])
        x = fitted(x, options.backbone)
        x = backbone_of(options.backbone, options.weights, tuple(x.shape[1:]), options.alpha)(x)
        x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
        return keras.layers.Dropout(options.dropout, seed=next(seeds), name="dropout")(x) if options.dropout else x


EXTRACTION, FINE_TUNING = "feature extraction", "fine-tuning"
