"""Networks of Keras Applications with weights that have learnt from ImageNet, as encoders of pictures."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError, RunError

if TYPE_CHECKING:
    import keras
    import numpy as np

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


def at_hand() -> bool:
    """Whether the weights of the default backbone are on this machine."""
    return (keras_models() / DEFAULT_FILE).is_file()


def fitted(pictures: keras.KerasTensor, backbone: str) -> keras.KerasTensor:
    """Pictures, from 0 to 255, as a backbone takes them: enlarged where it needs more pixels, in three channels, scaled."""
    import keras

    x = pictures
    height, width = x.shape[1:3]
    least = LEAST_OF.get(backbone, LEAST)
    if min(height, width) < least:
        larger = least / min(height, width)
        x = keras.layers.Resizing(round(height * larger), round(width * larger), name="enlarged")(x)
    if x.shape[-1] == 1:
        x = keras.layers.Concatenate(name="three_channels")([x, x, x])
    flipped, scale, offset = scaling(backbone)
    if flipped:
        x = keras.ops.flip(x, axis=-1)
    if scale != [1.0] * 3 or offset != [0.0] * 3:
        same = len({*scale}) == len({*offset}) == 1
        x = keras.layers.Rescaling(*([scale[0], offset[0]] if same else [scale, offset]), name="scaled")(x)
    return x


def backbone_of(name: str, weights: str, shape: tuple[int, ...], alpha: float = 1.0) -> keras.Model:
    """A backbone with its weights, for pictures of a shape, as a model called ``backbone``.

    Args:
        weights: ``imagenet`` or a file.
        alpha: the width of MobileNets.

    Raises:
        OptionError: the file of weights is of another network.
        RunError: Keras cannot download the weights.
    """
    import keras

    make = getattr(keras.applications, name)
    more = {} if alpha == 1.0 else {"alpha": alpha}
    plain = make(include_top=False, weights=None, input_shape=shape, **more)

    def calm(layer: keras.layers.Layer) -> keras.layers.Layer:
        still = {"rate": 0.0} if isinstance(layer, keras.layers.Dropout) else {}
        return type(layer).from_config({**layer.get_config(), **still})

    copy = keras.models.clone_model(plain, clone_function=calm)
    made = keras.Model(copy.inputs, copy.outputs[0], name="backbone")
    if weights == IMAGENET:
        made.set_weights(_downloaded(make, more, name))
    else:
        _load(made, name, weights, alpha)
    return made


def _module_of(backbone: str) -> Any:
    import keras

    return sys.modules[getattr(keras.applications, backbone).__module__]


def _downloaded(make: Any, more: dict[str, Any], backbone: str) -> list[np.ndarray]:
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
            f"The weights of {backbone} are not on this machine, and Keras cannot download them ({_why(error)}). "
            f"Fetch {address} on a machine with a network and put it here as {keras_models() / Path(address).name} (Keras "
            "looks in the folder 'models' of KERAS_HOME, or of ~/.keras), or write --set weights=FILE for such a file "
            "elsewhere, or --network airbench, which needs no weights."
        ) from error


def _why(error: Exception) -> str:
    text = str(error).rpartition(" -- ")[2].strip()
    return text or type(error).__name__


def check_file(name: str) -> None:
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


def _load(made: keras.Model, backbone: str, weights: str, alpha: float) -> None:
    """Puts the weights of a file into a backbone."""
    path = Path(weights).expanduser()
    try:
        if path.name.endswith(".keras"):
            made.set_weights(_weights_in(path, made))
        else:
            made.load_weights(path)
    except Exception as error:  # a file of something else raises one of a dozen kinds
        first = str(error).strip().split("\n")[0]
        raise OptionError(
            f"The file '{weights}' holds no weights of {backbone} without its top"
            f"{'' if alpha == 1.0 else f' of width {alpha:g}'}: {first} Write --set backbone=NAME with the "
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
