"""Reads packed runs: one zip file of JSON, npz and .keras files with a manifest of hashes. Nothing in it is executed, and
what is not as it should be is refused before it is used. Packed files come from anywhere: this is the door they pass."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np

from nervura.errors import RunError

FORMAT = 1
"""The version of the layout of a packed file, in its manifest. Later versions of nervura read all earlier ones."""

MANIFEST, CARD = "manifest.json", "model_card.md"
ENDINGS = (".json", ".npz", ".keras", ".csv", ".md", ".onnx")
PLAIN_NAME = re.compile(r"[^\x00-\x1f\x7f\\/:*?\"<>|]+")
MOST_FILES, LONGEST_NAME, DEEPEST = 10_000, 240, 64
LARGEST_TEXT = 2**30
"""A JSON file has at most so many bytes."""


class Refused(Exception):
    """Something in a file is not as it should be; the text says what."""


def unpack(path: Path, folder: Path, networks: bool = True) -> None:
    """Writes the files of a packed run into an empty folder, once they have been found to be what the manifest says.

    Args:
        networks: whether those of Keras too, which take HDF5 to be looked into.

    Raises:
        RunError: the file is no packed run, is damaged, or holds what no packed run may hold.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            _unpack(archive, path.stat().st_size, folder, networks)
    except Refused as why:
        raise RunError(
            f"A packed run is a file made by 'nervura pack', as it was made; '{path}' is refused: {why}. "
            "Ask whoever sent it for another."
        ) from None
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, NotImplementedError, RecursionError) as error:
        raise RunError(
            f"A run is a directory that 'nervura train' wrote or a file that 'nervura pack' made; '{path}' is neither, or is "
            f"damaged ({error}). Name another, or pack it again."
        ) from error


def _unpack(archive: zipfile.ZipFile, size: int, folder: Path, networks: bool) -> None:
    infos = _members(archive, size)
    if MANIFEST not in infos:
        raise Refused(f"it has no {MANIFEST}")
    told = _manifest(archive.read(infos.pop(MANIFEST)))
    missing, more = sorted(told.keys() - infos.keys()), sorted(infos.keys() - told.keys())
    if missing or more:
        raise Refused(f"its manifest names other files than it holds (missing: {missing[:3]}, unknown: {more[:3]})")
    for name, info in infos.items():
        content = archive.read(info)
        if len(content) != told[name]["bytes"] or hashlib.sha256(content).hexdigest() != told[name]["sha256"]:
            raise Refused(f"{name} is not the file that was packed: its hash differs")
        if name.endswith(".keras") and not networks:
            continue
        _check(name, content)
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members of a zip file by name: plain files of plain names, none of which is larger than the zip file says."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise Refused(f"it holds {len(infos):,} files, and {MOST_FILES:,} are allowed")
    seen: set[str] = set()
    for info in infos:
        _check_name(info.filename)
        kind = info.external_attr >> 16
        if info.is_dir() or (stat.S_IFMT(kind) and not stat.S_ISREG(kind)) or info.orig_filename != info.filename:
            raise Refused(f"'{info.filename}' is no plain file")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise Refused(f"'{info.filename}' is compressed or encrypted, and packed files are neither")
        if info.filename.casefold() in seen:
            raise Refused(f"'{info.filename}' is there twice")
        seen.add(info.filename.casefold())
    # Members that overlap could be more together than the file that holds them.
    if sum(info.file_size for info in infos) > size:
        raise Refused("it holds more than its own size")
    return {info.filename: info for info in infos}


def _check_name(name: str) -> None:
    parts = name.split("/")
    plain = all(
        PLAIN_NAME.fullmatch(part) and part not in (".", "..") and part == part.strip().rstrip(".") for part in parts
    )
    if not plain or len(name) > LONGEST_NAME or len(parts) > DEEPEST or PurePosixPath(name).is_absolute():
        raise Refused(f"{name!r} is no name for a file inside a folder")
    if not name.endswith(ENDINGS):
        raise Refused(f"'{name}' is none of {', '.join(ENDINGS)}")


def _manifest(content: bytes) -> dict[str, dict[str, Any]]:
    told = _json(MANIFEST, content)
    if told.get("format") != FORMAT:
        raise Refused(
            f"it has format {told.get('format')!r}, and this version of nervura reads format {FORMAT}; a newer one may be "
            "needed"
        )
    files = told.get("files")
    good = isinstance(files, dict) and all(
        isinstance(one, dict) and isinstance(one.get("bytes"), int) and isinstance(one.get("sha256"), str)
        for one in files.values()
    )
    if not good or not isinstance(files, dict):
        raise Refused(f"its {MANIFEST} does not name its files with their bytes and hashes")
    return files


def _json(name: str, content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST_TEXT:
        raise Refused(f"{name} is too large")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise Refused(f"{name} holds no JSON object")
    return found


def _check(name: str, content: bytes) -> None:
    """Whether a file is what its ending says, and holds nothing that could be executed or be larger than it."""
    if name.endswith(".json"):
        _json(name, content)
    elif name.endswith(".npz"):
        _check_arrays(name, content)
    elif name.endswith(".keras"):
        _check_network(name, content)
    elif name.endswith(".onnx"):
        # What the graph holds is computed by ONNX Runtime alone, which is given no folder to find linked weights in.
        if not content.startswith(b"\x08"):
            raise Refused(f"{name} is no ONNX file")
    else:
        content.decode("utf-8")


def _check_arrays(name: str, content: bytes) -> None:
    """Whether an npz file holds arrays of numbers and texts alone, of the sizes that they are said to have."""
    with _inner(name, content) as archive:
        for info in archive.infolist():
            with archive.open(info) as file:
                version = np.lib.format.read_magic(file)  # type: ignore[arg-type]
                if version not in ((1, 0), (2, 0)):
                    raise Refused(f"{name} holds an array of version {version}")
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)  # type: ignore[arg-type]
                if dtype.hasobject or dtype.kind not in "biufcSU":
                    raise Refused(f"{name} holds an array of objects, which only code could read")
                count = 1
                for one in shape:
                    count *= one
                if min(shape, default=0) < 0 or count * dtype.itemsize != info.file_size - file.tell():
                    raise Refused(f"{name} holds an array that is not as large as it says")


def _inner(name: str, content: bytes) -> zipfile.ZipFile:
    """A zip file inside a packed one, whose members are checked like those of the whole, save for their names."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    infos = archive.infolist()
    names = [info.filename for info in infos]
    stored = all(
        info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size and not info.flag_bits & 1
        for info in infos
    )
    if not stored or len(set(names)) != len(names) or sum(info.file_size for info in infos) > len(content):
        raise Refused(f"{name} holds compressed, repeated or overlapping parts")
    return archive


# --- Networks ---

KERAS_PARTS = {"config.json", "metadata.json", "model.weights.h5"}

LAYERS = set(
    """
    Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D
    AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding Concatenate Conv1D Conv1DTranspose
    Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D Cropping1D Cropping2D Dense DepthwiseConv1D
    DepthwiseConv2D Discretization Dot Dropout EinsumDense ELU Embedding Flatten GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GroupNormalization GroupQueryAttention GRU GRUCell Identity InputLayer LayerNormalization LeakyReLU
    LSTM LSTMCell Masking Maximum MaxPooling1D MaxPooling2D MaxPooling3D Minimum MultiHeadAttention Multiply Normalization
    Permute PReLU ReLU RepeatVector Rescaling Reshape Resizing RMSNormalization RNN SeparableConv1D SeparableConv2D SimpleRNN
    SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract
    TimeDistributed UnitNormalization UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D
    """.split()
)
"""Of Keras's own layers those that only compute. Others hold code, or read files."""

INERT = ("initializers", "regularizers", "constraints", "optimizers", "optimizers.schedules", "losses", "metrics")
"""The modules of Keras whose classes only compute."""

PLAIN = {"__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"}
"""Values of Keras's own format that have no class."""


def _check_network(name: str, content: bytes) -> None:
    """Whether a .keras file holds a network of layers that only compute, and weights that are all its own."""
    with _inner(name, content) as archive:
        if set(archive.namelist()) != KERAS_PARTS:
            raise Refused(f"{name} has other parts than a network ({', '.join(archive.namelist()[:5])})")
        check_layers(_json(f"{name}: config.json", archive.read("config.json")), name)
        _check_weights(name, io.BytesIO(archive.read("model.weights.h5")))


def check_layers(config: dict[str, Any], name: str) -> None:
    """Whether all that a network's configuration names may be made.

    Raises:
        Refused: a Lambda, a class of another package, or anything else that could be code.
    """
    left: list[Any] = [config]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if "class_name" in one and not _may_be_made(one):
                called = f"{one.get('module')}.{one['class_name']}".removeprefix("None.")
                raise Refused(f"{name} holds '{called}', which is none of the layers that a packed network may have")
            left += one.values()
        elif isinstance(one, list):
            left += one


def _may_be_made(told: dict[str, Any]) -> bool:
    module, cls, registered = told.get("module"), told["class_name"], told.get("registered_name")
    if not isinstance(cls, str):
        return False
    if module is None:
        return cls in PLAIN and registered is None
    if not isinstance(module, str) or not re.fullmatch(r"[A-Z]\w*", cls):
        return False
    if re.fullmatch(r"nervura\.layers\.[a-z0-9_]+", module):
        return registered == f"nervura>{cls}" and find_spec(module) is not None
    if not (module == "keras" or module.startswith("keras.")):
        return _registered_here(registered)
    if registered not in (None, cls):
        return False
    if module == "keras.layers":
        return cls in LAYERS
    if module.removeprefix("keras.") in INERT or re.fullmatch(r"keras\.src\.(ops|applications)\.[a-z0-9_]+", module):
        return True
    return (module, cls) in (
        ("keras", "DTypePolicy"),
        ("keras", "Sequential"),
        ("keras.src.models.functional", "Functional"),
    )


def _registered_here(registered: Any) -> bool:
    """Whether whoever runs this has imported a class of another package and given it to Keras already."""
    keras = sys.modules.get("keras")
    return (
        keras is not None and isinstance(registered, str) and keras.saving.get_registered_object(registered) is not None
    )


def _check_weights(name: str, file: BinaryIO) -> None:
    """Whether a file of weights holds arrays of numbers alone, all within itself."""
    import h5py

    size, total = len(file.read()), 0
    try:
        with h5py.File(file, "r") as weights:
            left: list[tuple[Any, int]] = [(weights, 0)]
            while left:
                group, depth = left.pop()
                if depth > DEEPEST:
                    raise Refused(f"{name} has groups inside groups without end")
                for key in group:
                    if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                        raise Refused(f"{name} has a link out of its weights")
                    item = group[key]
                    if isinstance(item, h5py.Group):
                        left.append((item, depth + 1))
                        continue
                    inside = not item.external and not item.is_virtual and item.chunks is None
                    if not inside or item.dtype.hasobject or item.dtype.kind not in "biufV":
                        raise Refused(f"{name} has weights that are no plain numbers of its own")
                    total += item.nbytes
                    if total > size:
                        raise Refused(f"{name} has larger weights than itself")
    except (OSError, KeyError, TypeError) as error:
        raise Refused(f"{name} has weights that cannot be read ({error})") from None
