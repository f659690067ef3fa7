"""Opening, turning, sizing and comparing pictures."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nervura import pictures
from nervura.errors import OptionError

Image = pytest.importorskip("PIL.Image")

RED = {"height": 8, "width": 8, "channels": 3, "ceiling": 65_535.0}
GREY = {**RED, "channels": 1}


def saved(image, kind="PNG", **how) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def decoded(value, encoding=RED) -> np.ndarray:
    found, good = pictures.decode(pl.Series([value], dtype=pl.Binary), encoding)
    assert good.all()
    return found[0]


def plain(mode, colour, size=(8, 8)):
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format_is_read(kind):
    picture = decoded(saved(plain("RGB", (200, 40, 90), (24, 16)), kind))
    assert picture.shape == (8, 8, 3)
    assert np.abs(picture.astype(int) - (200, 40, 90)).max() <= 8


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (plain("L", 90), (90, 90, 90)),
        (plain("1", 1), (255, 255, 255)),
        (plain("RGBA", (200, 40, 90, 255)), (200, 40, 90)),
        (plain("RGBA", (200, 40, 90, 0)), (255, 255, 255)),
        (plain("LA", (0, 51)), (204, 204, 204)),
        (plain("I;16", 32_768), (128, 128, 128)),
    ],
    ids=["grey", "one bit", "opaque", "transparent lies on white", "half transparent grey", "16 bits"],
)
def test_every_form_of_colour_becomes_red_green_and_blue(image, expected):
    assert (decoded(saved(image)) == expected).all()


def test_a_palette_with_a_transparent_colour_lies_on_white():
    image = plain("P", 0)
    image.putpalette([10, 20, 30] + [0] * 765)
    assert (decoded(saved(image, transparency=0)) == 255).all()
    assert (decoded(saved(image)) == (10, 20, 30)).all()


def test_colours_of_a_printer_are_read():
    assert np.abs(decoded(saved(plain("CMYK", (0, 255, 255, 0)), "JPEG")).astype(int) - (255, 0, 0)).max() < 8


def test_the_first_of_several_frames_counts():
    frames = [plain("L", 250), plain("L", 5)]
    assert (decoded(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), GREY) > 245).all()


def test_pictures_are_turned_as_the_camera_was_held():
    image = plain("RGB", "black", (24, 16))
    image.paste((255, 255, 255), (0, 0, 24, 8))  # white above, black below
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 6  # a quarter turn to the right
    turned = decoded(saved(image, "JPEG", exif=exif, quality=95), GREY)[..., 0]
    assert turned[:, 6:].min() > 200 and turned[:, :2].max() < 50
    values = pl.Series([saved(image, "JPEG", exif=exif)] * 3)
    assert [pictures.measure(values)[side] for side in ("height", "width")] == [24, 16]


def test_what_is_no_picture_is_black_and_told():
    good = saved(plain("L", 200))
    values = pl.Series([good, b"", good[:40], None, b"text", good], dtype=pl.Binary)
    found, readable = pictures.decode(values, GREY)
    assert readable.tolist() == [True, False, False, False, False, True]
    assert (found[~readable] == 0).all() and (found[readable] == 200).all()


def test_files_are_opened_by_their_paths(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(saved(plain("L", 70)))
    found, readable = pictures.decode(pl.Series([str(tmp_path / "a.png"), str(tmp_path / "absent.png")]), GREY)
    assert readable.tolist() == [True, False] and (found[0] == 70).all()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(40, 24)] * 3, (24, 40)),
        ([(30, 61), (50, 47), (90, 53)], (40, 40)),
        ([(640, 480)] * 2, (128, 128)),
        ([(3, 5), (4, 4)], (8, 8)),
    ],
    ids=["equal", "equal, wide", "median shorter side 47", "at most 128", "at least 8"],
)
def test_the_size_follows_from_the_sizes(sizes, expected):
    values = pl.Series([saved(plain("L", 9, size)) for size in sizes])
    found = pictures.measure(values)
    assert (found["height"], found["width"]) == expected
    assert pictures.measure(values, "48x64")["width"] == 64


@pytest.mark.parametrize("size", ["", "small", "4", "2000", "8x8x8", "-8"])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(OptionError, match="Write --size 64 or --size 48x64"):
        pictures.parse_size(size)


def test_pictures_are_grey_where_all_are():
    grey, saved_in_colour = saved(plain("L", 90)), saved(plain("RGB", (90, 90, 90)), "JPEG")
    colour = saved(plain("RGB", (90, 10, 90)))
    assert pictures.measure(pl.Series([grey, saved_in_colour]))["channels"] == 1
    assert pictures.measure(pl.Series([grey, colour]))["channels"] == 3


def test_deep_pictures_are_scaled_by_the_bits_that_they_use():
    values = pl.Series([saved(Image.fromarray(np.full((8, 8), level, np.uint16))) for level in (100, 4_000)])
    encoding = pictures.measure(values)
    assert encoding["ceiling"] == 4_095
    assert pictures.decode(values, encoding)[0][:, 0, 0, 0].tolist() == [6, 249]


@pytest.mark.parametrize("scale", [1.0, 255.0], ids=["shares", "levels"])
def test_arrays_of_numbers_are_pictures_too(scale):
    arrays = np.random.default_rng(0).permuted(np.linspace(0, scale, 2 * 9 * 9 * 3)).reshape(2, 9, 9, 3)
    values = pl.Series(arrays)
    found, good = pictures.decode(values, pictures.measure(values))
    assert good.all() and found.shape == (2, 9, 9, 3)
    np.testing.assert_allclose(found, 255 * arrays / scale, atol=0.51)


def photograph(seed: int, side: int = 64):
    """Smooth light and dark, as photographs have."""
    draw = np.random.default_rng(seed)
    return Image.fromarray(draw.integers(0, 255, (5, 5, 3), np.uint8)).resize((side, side), Image.Resampling.BICUBIC)


def test_pictures_that_were_saved_or_sized_again_are_nearly_equal():
    images = [photograph(seed) for seed in range(30)]
    again = [saved(images[0], "JPEG", quality=60), saved(images[1].resize((50, 50)))]
    values = pl.Series([*map(saved, images), *again])
    groups = pictures.alike(pictures.grey_cells(pictures.decode(values, {**RED, "height": 32, "width": 32})[0]))
    assert groups[30] == groups[0] and groups[31] == groups[1]
    assert len(set(groups)) == 30


def test_blank_pictures_are_equal_only_to_their_like():
    cells = pictures.grey_cells(np.stack([np.full((8, 8, 1), level, np.uint8) for level in (10, 10, 11)]))
    groups = pictures.alike(cells)
    assert groups[0] == groups[1] != groups[2]


def test_small_pictures_hold_the_means_of_cells():
    picture = np.arange(64 * 64, dtype=np.uint16).reshape(1, 64, 64, 1) % 256
    small = pictures.small(picture.astype(np.uint8))
    assert small.shape == (1, pictures.small_width((64, 64, 1))) == (1, 256)
    expected = picture.reshape(16, 4, 16, 4).mean(axis=(1, 3)).reshape(1, -1) / 255
    np.testing.assert_allclose(small, expected, rtol=1e-5)


def test_a_png_shows_what_the_network_saw():
    picture = np.random.default_rng(0).integers(0, 255, (12, 9, 3), np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(pictures.as_png(picture, largest=0)))) == picture).all()
    assert Image.open(io.BytesIO(pictures.as_png(picture, largest=40))).size == (27, 36)
