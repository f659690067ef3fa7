"""Networks that have learnt from a million photographs, taken over for other pictures."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError, RunError
from nervura.zoo.base import MovingOptions, Network, Phase, option, settle_moves

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

BACKBONES = (
    *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
    *("DenseNet121", "DenseNet169", "DenseNet201"),
    *(f"EfficientNetB{size}" for size in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("InceptionResNetV2", "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small"),
    *("NASNetLarge", "NASNetMobile", "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
    *("VGG16", "VGG19", "Xception"),
)
"""The networks of ``keras.applications``."""

DEFAULT, DEFAULT_FILE = "EfficientNetV2B0", "efficientnetv2-b0_notop.h5"
"""The default backbone, and what Keras calls the file of its weights."""

IMAGENET = "imagenet"
ENDINGS = (".weights.h5", ".keras", ".h5")

LEAST, LEAST_OF = 32, {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
"""Pixels a side that a backbone needs."""

RECIPE_SIDE = 224
"""The pictures for which the weights were learnt; Keras names the files of some backbones by it."""

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


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
            _check_file(options.weights)
        return settle_moves(options, pictures)

    def at_hand(self) -> bool:
        return (keras_models() / DEFAULT_FILE).is_file()

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
        height, width = x.shape[1:3]
        least = LEAST_OF.get(options.backbone, LEAST)
        if min(height, width) < least:
            larger = least / min(height, width)
            x = keras.layers.Resizing(round(height * larger), round(width * larger), name="enlarged")(x)
        if x.shape[-1] == 1:
            x = keras.layers.Concatenate(name="three_channels")([x, x, x])
        flipped, scale, offset = scaling(options.backbone)
        if flipped:
            x = keras.ops.flip(x, axis=-1)
        if scale != [1.0] * 3 or offset != [0.0] * 3:
            same = len({*scale}) == len({*offset}) == 1
            x = keras.layers.Rescaling(*([scale[0], offset[0]] if same else [scale, offset]), name="scaled")(x)
        x = backbone_of(options, tuple(x.shape[1:]))(x)
        x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
        return keras.layers.Dropout(options.dropout, seed=next(seeds), name="dropout")(x) if options.dropout else x


EXTRACTION, FINE_TUNING = "feature extraction", "fine-tuning"


def keras_models() -> Path:
    """Where Keras looks for weights."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "models"


def scaling(backbone: str) -> tuple[bool, list[float], list[float]]:
    """How Keras's ``preprocess_input`` of a backbone changes pixels from 0 to 255: whether red and blue change places, and
    by what each channel is then multiplied and what is added."""
    import numpy as np

    preprocess = _module_of(backbone).preprocess_input
    # It is the same rule for each pixel, so black and the three pure colours tell all of it.
    told = [
        np.asarray(preprocess(pixels[None, None].astype("float32")))[0, 0] for pixels in (np.zeros((1, 3)), np.eye(3))
    ]
    offset, factors = told[0][0].astype("float64"), (told[1] - told[0]).astype("float64")
    flipped = abs(factors[0, 0]) < abs(factors[0, 2])
    scale = np.diag(factors[::-1] if flipped else factors)
    if backbone.startswith("EfficientNetB"):
        # With its own download, Keras puts another scaling into the network, which is not there with weights of a file.
        own = 1 / np.sqrt(IMAGENET_DEVIATION)
        scale, offset = own, 255 * np.array(IMAGENET_MEAN) * (1 - own)
    return bool(flipped), [float(f"{value:.7g}") for value in scale], [float(f"{value:.7g}") for value in offset]


def backbone_of(options: Any, shape: tuple[int, ...]) -> keras.Model:
    """The backbone with its weights, for pictures of a shape, as a model called ``backbone``.

    Raises:
        OptionError: the file of weights is of another network.
        RunError: Keras cannot download the weights.
    """
    import keras

    make = getattr(keras.applications, options.backbone)
    more = {} if options.alpha == 1.0 else {"alpha": options.alpha}
    plain = make(include_top=False, weights=None, input_shape=shape, **more)

    def calm(layer: keras.layers.Layer) -> keras.layers.Layer:
        still = {"rate": 0.0} if isinstance(layer, keras.layers.Dropout) else {}
        return type(layer).from_config({**layer.get_config(), **still})

    copy = keras.models.clone_model(plain, clone_function=calm)
    made = keras.Model(copy.inputs, copy.outputs[0], name="backbone")
    if options.weights == IMAGENET:
        made.set_weights(_downloaded(make, more, options))
    else:
        _load(made, options)
    return made


def _module_of(backbone: str) -> Any:
    import keras

    return sys.modules[getattr(keras.applications, backbone).__module__]


def _downloaded(make: Any, more: dict[str, Any], options: Any) -> list[np.ndarray]:
    shape = (RECIPE_SIDE, RECIPE_SIDE, 3)
    try:
        return make(include_top=False, weights=IMAGENET, input_shape=shape, **more).get_weights()
    except ValueError as error:  # widths that there are no weights for
        raise OptionError(f"{error} Write --set alpha=1, or --set weights=FILE.") from error
    except Exception as error:  # Keras raises a plain Exception where a download fails
        found = re.search(r"https?://\S+?(?=[\s:]|$)", str(error))
        if found is None:
            raise
        address = found[0]
        raise RunError(
            f"The weights of {options.backbone} are not on this machine, and Keras cannot download them ({_why(error)}). "
            f"Fetch {address} on a machine with a network and put it here as {keras_models() / Path(address).name} (Keras "
            "looks in the folder 'models' of KERAS_HOME, or of ~/.keras), or write --set weights=FILE for such a file "
            "elsewhere, or --network airbench, which needs no weights."
        ) from error


def _why(error: Exception) -> str:
    text = str(error).rpartition(" -- ")[2].strip()
    return text or type(error).__name__


def _check_file(name: str) -> None:
    path = Path(name).expanduser()
    if not name.endswith(ENDINGS):
        raise OptionError(
            f"weights is '{IMAGENET}' or a file that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}; given was "
            f"'{name}'. Write --set weights={IMAGENET} or --set weights=FILE."
        )
    if not path.is_file():
        raise OptionError(
            f"The weights of a backbone are in a file; '{name}' is none. Write --set weights=FILE, or --set "
            f"weights={IMAGENET} for Keras's own."
        )


def _load(made: keras.Model, options: Any) -> None:
    """Puts the weights of a file into a backbone."""
    path = Path(options.weights).expanduser()
    try:
        if path.name.endswith(".keras"):
            made.set_weights(_weights_in(path, made))
        else:
            made.load_weights(path)
    except Exception as error:  # a file of something else raises one of a dozen kinds
        first = str(error).strip().split("\n")[0]
        raise OptionError(
            f"The file '{options.weights}' holds no weights of {options.backbone} without its top"
            f"{'' if options.alpha == 1.0 else f' of width {options.alpha:g}'}: {first} Write --set backbone=NAME with the "
            "network that the file belongs to."
        ) from error


def _weights_in(path: Path, made: keras.Model) -> list[np.ndarray]:
    """The weights of a saved network that has the backbone's layers inside it, or first of all."""
    import keras

    from nervura.layers import register

    register()
    saved = keras.saving.load_model(path, compile=False)
    inner = [layer for layer in saved.layers if isinstance(layer, keras.Model)]
    wanted = [tuple(variable.shape) for variable in made.weights]
    for model in [*inner, saved]:
        weights = model.get_weights()[: len(wanted)]
        if [array.shape for array in weights] == wanted:
            return weights
    raise ValueError("its layers have other shapes.")
