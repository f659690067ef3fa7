"""Pictures as numbers: opening, turning, one size and one form of colour for all, and which of them are nearly equal."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.errors import MissingDependency, OptionError

if TYPE_CHECKING:
    import polars as pl
    from PIL import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")

LARGEST, STEP, SMALLEST = 128, 8, 8
"""Unless a size is asked for, pictures are brought to at most the first of these, a multiple of the second."""

SIZES_SEEN, COLOURS_SEEN = 1_000, 100
"""So many pictures, taken evenly, tell the size of all, and so many whether those saved in colour have any."""

GREY_MODES = ("1", "L", "LA", "La")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
JPEG_NOISE = 3
"""Red, green and blue of a grey picture that was saved in colour differ by no more than rounding."""

DEEP = 65_535.0
"""The white of a picture of 16 bits, where the pictures that were measured do not tell another."""

ORIENTATION = 0x0112
CELLS = 8
ALIKE, ALIKE_SHARE = 2.5, 0.1
"""Two pictures are nearly equal where the grey levels of 8 x 8 cells differ by no more than this (root of the mean
square, of 255), and by no more than this share of how much the cells of one picture differ."""

DIRECTIONS, MOST_PAIRS, PAIRS = 8, 20_000_000, 500_000
"""Where more pairs than the second of these look alike at first, only equal pictures are told."""

SMALL_SIDES = {1: 16, 3: 9}
"""Plain models see pictures shrunk to at most so many pixels a side, grey and in colour: about 250 numbers."""

Encoding = dict[str, Any]
"""``height``, ``width``, ``channels``, ``ceiling`` (the white of deep pictures) and ``rule``, which says why, as JSON."""


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its ending."""
    return name.lower().endswith(ENDINGS)


def opens(value: Any) -> bool:
    """Whether a path or bytes begin like a picture."""
    _pillow()
    try:
        with _quiet(), _opened(value):
            return True
    except Exception:  # a file that is no picture raises one of a dozen kinds
        return False


def parse_size(text: str) -> tuple[int, int]:
    """Height and width from ``64`` or ``48x64``.

    Raises:
        OptionError: it is something else.
    """
    parts = str(text).lower().split("x")
    if len(parts) > 2 or not all(part.strip().isdigit() and SMALLEST <= int(part) <= 1024 for part in parts):
        raise OptionError(
            f"A size of pictures is one number of pixels or HEIGHTxWIDTH, each from {SMALLEST} to 1024; given was "
            f"'{text}'. Write --size 64 or --size 48x64."
        )
    return int(parts[0]), int(parts[-1])


def measure(values: pl.Series, size: str | None = None) -> Encoding:
    """The one form that all pictures of a column are brought to.

    The size is the common one where all pictures are equally large and no side is longer than ``LARGEST``; otherwise
    they become squares near the median of their shorter sides, rounded down to a multiple of ``STEP``. They are grey
    if all of them are.

    Args:
        values: paths, bytes or arrays (height, width) or (height, width, channels); damaged ones are passed over.
        size: ``64`` or ``48x64``, where one is asked for.
    """
    asked = parse_size(size) if size is not None else None
    _pillow()
    known = values.drop_nulls()
    if _is_array(known):
        found = _measured_array(known)
    else:
        with _quiet():
            found = _measured_files(_evenly(known, SIZES_SEEN).to_list())
    sides, grey, ceiling = found
    height, width, rule = _size_for(sides)
    if asked is not None:
        height, width, rule = *asked, "as asked for"
    return {"height": height, "width": width, "channels": 1 if grey else 3, "ceiling": ceiling, "rule": rule}


def _size_for(sides: np.ndarray) -> tuple[int, int, str]:
    """Height, width and the rule in words, from heights and widths (pictures, 2)."""
    if not len(sides):
        return SMALLEST, SMALLEST, "no picture can be read"
    if (sides == sides[0]).all() and sides.max() <= LARGEST:
        return int(sides[0, 0]), int(sides[0, 1]), "all pictures have this size"
    middle = float(np.median(sides.min(1)))
    side = int(max(SMALLEST, min(LARGEST, middle // STEP * STEP)))
    rule = f"a square near the median shorter side, {middle:g} pixels, of at most {LARGEST}"
    return side, side, rule


def _measured_array(values: pl.Series) -> tuple[np.ndarray, bool, float]:
    shape = values.dtype.shape  # type: ignore[attr-defined]
    channels = shape[2] if len(shape) == 3 else 1
    sample = _evenly(values, COLOURS_SEEN).to_numpy()
    top = float(np.nanmax(sample)) if sample.size else 255.0
    ceiling = 255.0 if sample.dtype == np.uint8 else _ceiling(top, whole=sample.dtype.kind in "iu")
    grey = channels <= 2 or _is_grey(_as_bytes(sample, ceiling))
    return np.array([shape[:2]]), grey, ceiling


def _measured_files(values: list[Any]) -> tuple[np.ndarray, bool, float]:
    sides, colours, top, whole = [], [], 0.0, True
    deep = 0
    for value in values:
        try:
            with _opened(value) as image:
                sides.append(_turned(image))
                if image.mode.startswith(("I", "F")):
                    if deep < COLOURS_SEEN:
                        pixels = np.asarray(image)
                        top, whole, deep = max(top, float(pixels.max())), whole and image.mode != "F", deep + 1
                elif image.mode not in GREY_MODES:
                    colours.append(value)
        except Exception:  # left to the decoding, which says which are damaged
            continue
    step = max(1, len(colours) // COLOURS_SEEN)
    grey = all(_saved_grey(value) for value in colours[::step])
    return np.array(sides).reshape(-1, 2), grey, _ceiling(top, whole) if deep else DEEP


def _turned(image: Image.Image) -> tuple[int, int]:
    """Height and width, as the camera was held."""
    width, height = image.size
    # Looking for it in a PNG would decode all of it.
    if image.format in ("JPEG", "MPO", "WEBP", "TIFF") and image.getexif().get(ORIENTATION, 1) >= 5:
        width, height = height, width
    return height, width


def _saved_grey(value: Any) -> bool:
    try:
        with _opened(value) as image:
            image.draft("RGB", (64, 64))
            return _is_grey(np.asarray(_plain(image, 3, DEEP))[None])
    except Exception:  # a damaged picture has no colour to show
        return True


def _is_grey(pixels: np.ndarray) -> bool:
    colours = pixels[..., :3].astype(np.int16)
    return bool((np.ptp(colours, axis=-1) <= JPEG_NOISE).all())


def _ceiling(top: float, whole: bool) -> float:
    """The value that stands for white: one less than the next power of two, or 1 for shares."""
    if not whole and top <= 1.0:
        return 1.0
    return float(max(255, 2 ** math.ceil(math.log2(max(top, 1.0) + 1)) - 1))


def decode(values: pl.Series, encoding: Encoding, out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The pictures of a column in one form, uint8 (rows, height, width, channels), and which could be read, bool (rows,).

    Pictures are turned as the camera was held, laid on white where they are transparent, and stretched to the size; of
    several frames the first counts. What cannot be read is black.

    Args:
        values: paths, bytes or arrays.
        encoding: as ``measure`` gave it.
        out: where to put them.
    """
    _pillow()
    height, width, channels = encoding["height"], encoding["width"], encoding["channels"]
    if out is None:
        out = np.zeros((len(values), height, width, channels), np.uint8)
    if _is_array(values):
        return out, _decode_array(values, encoding, out)
    listed = values.to_list()

    def work(row: int) -> bool:
        try:
            out[row] = _decode_one(listed[row], height, width, channels, encoding["ceiling"])
        except Exception:  # a damaged picture raises one of a dozen kinds
            out[row] = 0
            return False
        return True

    with _quiet(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        good = np.fromiter(pool.map(work, range(len(listed))), bool, len(listed))
    return out, good


def decode_one(content: bytes, encoding: Encoding, most_pixels: int) -> np.ndarray:
    """One picture as ``decode`` gives it, uint8 (height, width, channels).

    Raises:
        ValueError: it cannot be read.
        OverflowError: it has more pixels than ``most_pixels``.
    """
    height, width, channels = encoding["height"], encoding["width"], encoding["channels"]
    try:
        with _quiet():
            with _opened(content) as image:
                pixels = image.width * image.height
            if pixels <= most_pixels:
                return _decode_one(content, height, width, channels, encoding["ceiling"])
    except MissingDependency:
        raise
    except Exception as error:  # a damaged picture raises one of a dozen kinds
        raise ValueError("it cannot be read as a picture") from error
    raise OverflowError(f"it has {pixels:,} pixels, and {most_pixels:,} are allowed")


def _decode_array(values: pl.Series, encoding: Encoding, out: np.ndarray) -> np.ndarray:
    good = values.is_not_null().to_numpy()
    pixels = values.drop_nulls().to_numpy()
    pixels = pixels if pixels.ndim == 4 else pixels[..., None]
    height, width, channels = encoding["height"], encoding["width"], encoding["channels"]
    if pixels.shape[1:] == (height, width, channels) and pixels.dtype == np.uint8:
        out[good] = pixels
        return good
    for row, picture in zip(np.flatnonzero(good), pixels, strict=True):
        whole = _as_bytes(picture, encoding["ceiling"])
        out[row] = _finished(_from_array(whole), height, width, channels)
    return good


def _from_array(pixels: np.ndarray) -> Image.Image:
    image, _ = _pillow()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[-1]]
    return _plain(
        image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes()),
        3 if pixels.shape[-1] > 2 else 1,
        DEEP,
    )


def _as_bytes(pixels: np.ndarray, ceiling: float) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    return np.clip(np.rint(np.nan_to_num(pixels.astype(np.float64)) * (255.0 / ceiling)), 0, 255).astype(np.uint8)


def _decode_one(value: Any, height: int, width: int, channels: int, ceiling: float) -> np.ndarray:
    _, operations = _pillow()
    with _opened(value) as image:
        # A JPEG can be read at a half, a quarter or an eighth of its size, far faster than whole.
        image.draft("RGB" if channels == 3 else "L", (max(height, width), max(height, width)))
        upright = operations.exif_transpose(image)
        return _finished(_plain(upright, channels, ceiling), height, width, channels)


def _finished(image: Image.Image, height: int, width: int, channels: int) -> np.ndarray:
    kinds, _ = _pillow()
    wanted = "RGB" if channels == 3 else "L"
    if image.mode != wanted:
        image = image.convert(wanted)
    if image.size != (width, height):
        image = image.resize((width, height), kinds.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image).reshape(height, width, channels)


def _plain(image: Image.Image, channels: int, ceiling: float) -> Image.Image:
    """Grey or red, green and blue, of 8 bits each, on white where it is transparent."""
    kinds, _ = _pillow()
    if image.mode.startswith(("I", "F")):
        image = kinds.fromarray(_as_bytes(np.asarray(image).astype(np.float64), ceiling))
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        above = image.convert("RGBA")
        image = kinds.alpha_composite(kinds.new("RGBA", above.size, "white"), above)
    return image.convert("RGB" if channels == 3 else "L")


def grey_cells(pictures: np.ndarray) -> np.ndarray:
    """The mean grey level of 8 x 8 cells of each picture, float32 (rows, 64)."""
    return _cells(pictures, CELLS, CELLS).mean(-1).reshape(len(pictures), -1)


def small(pictures: np.ndarray) -> np.ndarray:
    """Pictures shrunk to 16 pixels a side, 9 in colour, as plain numbers from 0 to 1, float32 (rows, pixels)."""
    rows, height, width, channels = pictures.shape
    side = SMALL_SIDES[channels]
    return (_cells(pictures, min(side, height), min(side, width)) / 255).reshape(rows, -1)


def small_width(shape: tuple[int, ...]) -> int:
    """How many numbers ``small`` gives of a picture of the shape (height, width, channels)."""
    side = SMALL_SIDES[shape[2]]
    return min(side, shape[0]) * min(side, shape[1]) * shape[2]


def _cells(pictures: np.ndarray, down: int, across: int) -> np.ndarray:
    """Means over a grid of cells, float32 (rows, down, across, channels); of small pictures cells may share pixels."""
    rows, height, width, channels = pictures.shape
    made = np.empty((rows, down, across, channels), np.float32)
    top, left = np.arange(down) * height // down, np.arange(across) * width // across
    sizes = np.maximum(1, np.diff(top, append=height))[:, None] * np.maximum(1, np.diff(left, append=width))
    for start in range(0, rows, 500):
        part = pictures[start : start + 500].astype(np.float32)
        sums = np.add.reduceat(np.add.reduceat(part, top, axis=1), left, axis=2)
        made[start : start + 500] = sums / sizes[..., None]
    return made


def alike(cells: np.ndarray) -> np.ndarray:
    """Group numbers (rows,): pictures that are nearly equal, also by way of others, have the same one.

    Args:
        cells: as ``grey_cells`` gives them.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    distinct, copy_of = np.unique(cells, axis=0, return_inverse=True)
    if len(distinct) < 2:
        return copy_of
    limit = np.minimum(ALIKE, ALIKE_SHARE * distinct.std(1))
    centred = distinct - distinct.mean(0)
    # Along any direction two pictures are no farther apart than they are: the longest few sift nearly all pairs out.
    _, directions = np.linalg.eigh(np.cov(centred[:: max(1, len(distinct) // 5_000)].T, dtype=np.float64))
    along = centred @ directions[:, -DIRECTIONS:]
    tree, near = KDTree(along), limit * math.sqrt(cells.shape[1])
    if tree.query_ball_point(along, near, return_length=True).sum() > MOST_PAIRS:
        return copy_of
    around = tree.query_ball_point(along, near)
    first = np.repeat(np.arange(len(distinct)), [len(others) for others in around])
    second = np.concatenate(around).astype(np.int64)
    apart = np.concatenate(
        [
            np.sqrt(np.square(distinct[first[start : start + PAIRS]] - distinct[second[start : start + PAIRS]]).mean(1))
            for start in range(0, len(first), PAIRS)
        ]
    )
    close = apart <= np.minimum(limit[first], limit[second])
    pairs = (np.ones(close.sum()), (first[close], second[close]))
    graph = coo_matrix(pairs, shape=(len(distinct), len(distinct)))
    return connected_components(graph, directed=False)[1][copy_of]


def as_png(picture: np.ndarray, largest: int = 96) -> bytes:
    """A picture (height, width, channels) as a PNG file, small ones enlarged by whole numbers of pixels.

    Args:
        largest: its longer side at most; 0: as it is.
    """
    kinds, _ = _pillow()
    image = kinds.fromarray(np.ascontiguousarray(picture[..., 0] if picture.shape[-1] == 1 else picture))
    if max(image.size) > largest > 0:
        image.thumbnail((largest, largest))
    times = max(1, largest // max(image.size))
    if times > 1:
        image = image.resize((image.width * times, image.height * times), kinds.Resampling.NEAREST)
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def _is_array(values: pl.Series) -> bool:
    import polars as pl

    return isinstance(values.dtype, pl.Array)


def _evenly(values: pl.Series, most: int) -> pl.Series:
    return values.gather_every(max(1, len(values) // most)).head(most)


def _opened(value: Any) -> Image.Image:
    kinds, _ = _pillow()
    return kinds.open(io.BytesIO(value) if isinstance(value, bytes) else value)


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingDependency("Reading pictures", "pillow", "tensorflow") from None
    return Image, ImageOps


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides what Pillow says of odd but readable files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
