"""Whether to mirror is told by the pictures: photographs yes; digits, arrows and slopes no."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nervura.mirroring import mirroring

DRAW = np.random.default_rng(0)


def blots(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Bright spots anywhere, broad or narrow: what they are called is the same in a mirror."""
    kind = DRAW.integers(0, 2, rows)
    x, y = DRAW.uniform(3, 13, (2, rows, 1, 1))
    across, down = np.arange(16.0)[None, None, :], np.arange(16.0)[None, :, None]
    width = np.where(kind == 1, 3.0, 1.5)[:, None, None]
    bright = 200 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * width**2))
    return (bright + DRAW.uniform(0, 20, bright.shape)).astype("uint8")[..., None], kind


def ramps(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Brightness that rises to the right or to the left, and by how much."""
    slope = DRAW.uniform(-6, 6, rows)
    bright = 120 + slope[:, None, None] * (np.arange(16.0) - 7.5) + DRAW.uniform(-20, 20, (rows, 16, 16))
    return np.clip(bright, 0, 255).astype("uint8")[..., None], slope


def test_pictures_that_are_the_same_kind_in_a_mirror_may_be_mirrored() -> None:
    told = mirroring(*blots(600), classes=True)
    assert told["alike"]
    assert told["distance"] == pytest.approx(1, abs=0.05)
    assert told["skill_mirrored"] == pytest.approx(told["skill"], abs=0.1)


def test_mirrored_digits_are_far_from_all_digits() -> None:
    pictures, digit = load_digits(return_X_y=True)
    told = mirroring(pictures.reshape(-1, 8, 8, 1), digit, classes=True)
    assert not told["alike"]
    assert told["distance"] > 1.5
    assert told["skill"] > 0.9 > 0.5 > told["skill_mirrored"]


@pytest.mark.parametrize("classes", [True, False])
def test_mirrored_slopes_look_like_slopes_but_are_answered_wrongly(classes: bool) -> None:
    pictures, slope = ramps(600)
    told = mirroring(pictures, slope > 0 if classes else slope, classes)
    assert told["distance"] == pytest.approx(1, abs=0.05)
    assert told["skill"] > 0.8
    assert told["skill_mirrored"] < 0
    assert not told["alike"]


def test_a_handful_of_pictures_tells_nothing() -> None:
    pictures, kind = blots(10)
    assert mirroring(pictures, kind, classes=True) == {
        "alike": False,
        "pictures": 10,
        "distance": None,
        "skill": None,
        "skill_mirrored": None,
    }
