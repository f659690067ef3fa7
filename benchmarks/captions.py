"""Captions: a made world whose truth is known, and Flickr8k.

    python benchmarks/captions.py world [--pictures 6000] [--minutes 20]
    python benchmarks/captions.py flickr PATH/flickr8k.parquet [--minutes 60]

The world has pictures of 48 x 48 pixels with one or two groups of shapes. A grammar says what is in each: how many, their
colour and shape, and where the groups are to each other. Six of the twenty pairs of colour and shape are in no training
picture. How many test pictures are described exactly right, word by word, is counted apart for pictures of known pairs
and for pictures with a new one. Words may be said in two orders where the grammar allows both ("a above b", "b below a"):
either is right, and each picture's captions hold both.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (50, 80, 230),
    "yellow": (235, 210, 40),
    "purple": (150, 50, 180),
}
SHAPES = ("square", "circle", "triangle", "cross")
PLURAL = {"square": "s", "circle": "s", "triangle": "s", "cross": "es"}
COUNTS = ("a", "two", "three")
SIDE, CELL = 48, 12
NEW_PAIRS = {("red", "cross"), ("green", "circle"), ("blue", "triangle"), ("yellow", "square"), ("purple", "circle")}
NEW_PAIRS |= {("red", "triangle")}
OPPOSITE = {"above": "below", "left of": "right of"}


def stencil(shape: str, size: int) -> np.ndarray:
    """Which of size x size pixels a shape covers."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    half = size / 2
    if shape == "circle":
        return x**2 + y**2 <= half**2
    if shape == "triangle":
        return np.abs(x) <= (y + half) / 2
    if shape == "cross":
        return np.minimum(np.abs(x), np.abs(y)) <= size / 6
    return np.ones((size, size), bool)


def paint(
    picture: np.ndarray, cells: list[tuple[int, int]], colour: str, shape: str, draw: np.random.Generator
) -> None:
    """Puts one shape into each of the cells (row, column)."""
    for row, column in cells:
        size = int(draw.integers(8, CELL))
        top, left = (int(at * CELL + draw.integers(0, CELL - size + 1)) for at in (row, column))
        shade = np.clip(np.array(COLOURS[colour]) + draw.integers(-20, 21, 3), 0, 255)
        picture[top : top + size, left : left + size][stencil(shape, size)] = shade


def relations(chosen: list[list[tuple[int, int]]], side: int) -> list[str]:
    """In which ways the first group of cells is apart from the second: each in a half of the picture."""
    if len(chosen) < 2:
        return []
    found = []
    for axis, name in ((0, "above"), (1, "left of")):
        halves = [{cell[axis] >= side / 2 for cell in cells} for cells in chosen]
        if halves == [{False}, {True}]:
            found.append(name)
        elif halves == [{True}, {False}]:
            found.append(OPPOSITE[name])
    return found


def scene(draw: np.random.Generator, new: bool | None) -> tuple[np.ndarray, list[str]]:
    """A picture and all that may be said of it; with ``new`` True one group at least is of a new pair, with False none."""
    while True:
        groups = int(draw.integers(1, 3))
        pairs = [(str(draw.choice(list(COLOURS))), str(draw.choice(SHAPES))) for _ in range(groups)]
        if len(set(pairs)) == groups and (new is None or any(pair in NEW_PAIRS for pair in pairs) == new):
            break
    counts = [int(draw.integers(1, 4)) for _ in range(groups)]
    ground = draw.integers(0, 60) + draw.integers(0, 25, (SIDE, SIDE, 1))
    picture = np.repeat(ground, 3, axis=2).astype(np.uint8)
    said = [
        f"{COUNTS[n - 1]} {colour} {shape}{PLURAL[shape] if n > 1 else ''}"
        for n, (colour, shape) in zip(counts, pairs, strict=True)
    ]
    side = SIDE // CELL
    relation = str(draw.choice(list(OPPOSITE))) if groups == 2 else None
    while True:
        places = [(a, b) for a in range(side) for b in range(side)]
        chosen = [[places[i] for i in draw.choice(len(places), count, replace=False)] for count in counts]
        if relations(chosen, side) == ([relation] if relation else []):
            break
    for cells, (colour, shape) in zip(chosen, pairs, strict=True):
        paint(picture, cells, colour, shape, draw)
    if relation is None:
        return picture, [said[0]]
    return picture, [f"{said[0]} {relation} {said[1]}", f"{said[1]} {OPPOSITE[relation]} {said[0]}"]


def world(pictures: int, tested: int, seed: int = 0) -> pl.DataFrame:
    """The made world as a table of bytes and captions, with its split; half of the test pictures have a new pair."""
    from nervura.pictures import as_png

    draw = np.random.default_rng(seed)
    rows = []
    for part, count in (("train", pictures), ("dev", pictures // 10), ("test", tested)):
        for number in range(count):
            new = part == "test" and number % 2 == 1
            picture, captions = scene(draw, new)
            rows.append(
                {"split": part, "path": f"{part}/{number}.png", "captions": captions, "image": as_png(picture, 0)}
            )
    return pl.DataFrame(rows)


def world_alone(pictures: int, tested: int, minutes: float | None, options: dict, out: Path) -> None:
    import nervura

    frame = world(pictures, tested)
    frame.write_parquet(out / "world.parquet")
    began = time.monotonic()
    run = nervura.train(
        out / "world.parquet", minutes=minutes, options=options, out=out / "run", tell=print, watchers=[told]
    )
    print(f"trained and judged in {time.monotonic() - began:.0f} seconds")
    test = frame.filter(pl.col("split") == "test")
    answers = run.predict(test.select("path", "image"))["prediction"].to_list()
    right = np.array([answer in captions for answer, captions in zip(answers, test["captions"], strict=True)])
    new = np.arange(len(right)) % 2 == 1
    print(
        pl.DataFrame(
            {
                "pictures": ["of known pairs", "with a new pair"],
                "exactly right": [right[~new].mean(), right[new].mean()],
            }
        )
    )
    for row in np.flatnonzero(~right)[:10]:
        print(f"  wrote '{answers[row]}' for '{test['captions'][int(row)][0]}'")
    print(run)


def flickr(path: Path, minutes: float | None, options: dict, out: Path) -> None:
    import nervura

    began = time.monotonic()
    run = nervura.train(path, minutes=minutes, options=options, out=out / "run", tell=print, watchers=[told])
    print(f"trained and judged in {time.monotonic() - began:.0f} seconds")
    print(run)
    evaluation = run.evaluation
    own = evaluation["test"]
    rows = []
    for rival, scores in evaluation["baselines"].items():
        for metric, score in scores.items():
            rows.append({"score": metric, "baseline": rival, "it": score["value"], "captioner": own[metric]["value"]})
    table = pl.DataFrame(rows).with_columns((pl.col("captioner") / pl.col("it") - 1).alias("better by"))
    with pl.Config(tbl_rows=-1):
        print(table)


def told(progress) -> None:
    print(
        f"{progress.phase} {progress.epoch}/{progress.epochs} loss {progress.loss:.4f} held out "
        f"{progress.validation_loss:.4f} {progress.seconds:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("what", choices=("world", "flickr"))
    words.add_argument("path", nargs="?", type=Path)
    words.add_argument("--pictures", type=int, default=6_000)
    words.add_argument("--tested", type=int, default=1_000)
    words.add_argument("--minutes", type=float)
    words.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    words.add_argument("--out", type=Path)
    asked = words.parse_args()
    chosen = dict(pair.split("=", 1) for pair in asked.set)
    with TemporaryDirectory() as folder:
        place = asked.out or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        if asked.what == "world":
            world_alone(asked.pictures, asked.tested, asked.minutes, chosen, place)
        else:
            flickr(asked.path, asked.minutes, chosen, place)
