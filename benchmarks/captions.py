"""Captions: a made world whose truth is known, and Flickr8k.

    python benchmarks/captions.py world [--pictures 6000] [--minutes 20]
    python benchmarks/captions.py flickr PATH/flickr8k.parquet [--minutes 60] [--size 64]

With ``--out FOLDER`` the run stays there, and the same command goes on with it where it was stopped.

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


def trained(source: Path, minutes: float | None, size: str | None, options: dict, out: Path):
    """The run in ``out``: trained, or gone on with where it was stopped."""
    import nervura

    began = time.monotonic()
    if (out / "run" / "run.json").exists():
        run = nervura.resume(out / "run", tell=print, watchers=[told])
    else:
        how = {"minutes": minutes, "size": size, "options": options}
        run = nervura.train(source, out=out / "run", tell=print, watchers=[told], **how)
    print(f"{time.monotonic() - began:.0f} seconds, {time.process_time():.0f} of processor")
    print(run)
    return run


def judge_world(pictures: int, tested: int, minutes: float | None, size: str | None, options: dict, out: Path) -> None:
    file = out / "world.parquet"
    if not file.exists():
        world(pictures, tested).write_parquet(file)
    run, test = trained(file, minutes, size, options, out), pl.read_parquet(file).filter(pl.col("split") == "test")
    answers = run.predict(test.select("path", "image"))["prediction"].to_list()
    right = np.array([answer in captions for answer, captions in zip(answers, test["captions"], strict=True)])
    new = np.arange(len(right)) % 2 == 1
    shares = [right[~new].mean(), right[new].mean()]
    print(pl.DataFrame({"pictures": ["of known pairs", "with a new pair"], "exactly right": shares}))
    for row in np.flatnonzero(~right)[:10]:
        print(f"  wrote '{answers[row]}' for '{test['captions'][int(row)][0]}'")


def judge_flickr(path: Path, minutes: float | None, size: str | None, options: dict, out: Path) -> None:
    """Every score beside those of both baselines, with the paired 95 % interval of the difference."""
    from nervura import judging
    from nervura.dataset import Dataset
    from nervura.problems.captioning import most_typical, nearest

    run = trained(path, minutes, size, options, out)
    dataset = Dataset.open(path, size=size)
    seen = {part: dataset.arrays(part)[0]["pictures"] for part in ("train", "test")}
    told, truth = dataset.labels("train"), dataset.labels("test")
    own = [most_typical(texts) for texts in told]
    test = pl.read_parquet(path).filter(pl.col("split") == "test").select("path", "image")
    texts = {
        "captioner": run.predict(test)["prediction"].to_list(),
        "typical_caption": [most_typical(told.explode())] * len(truth),
        "nearest_picture": [own[row] for row in nearest(seen["train"], seen["test"])],
    }
    facts = {name: dataset.problem.facts(written, truth) for name, written in texts.items()}
    rows = []
    for metric in dataset.problem.metrics:
        judged, zeros = dataset.problem.judged_by(metric), np.zeros(len(truth))
        scores = {name: judged.scores(zeros, found)[metric] for name, found in facts.items()}
        for rival in ("typical_caption", "nearest_picture"):
            apart = judging.compare(judged, zeros, [facts["captioner"]], [facts[rival]])
            pair = {"captioner": scores["captioner"], "baseline": rival, "it": scores[rival]}
            better = scores["captioner"] / scores[rival] - 1 if scores[rival] else np.inf
            rows.append({"score": metric, **pair, "better by": better, **apart})
    with pl.Config(tbl_rows=-1, tbl_cols=-1):
        print(pl.DataFrame(rows))


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
    words.add_argument("--size")
    words.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    words.add_argument("--out", type=Path)
    asked = words.parse_args()
    chosen = dict(pair.split("=", 1) for pair in asked.set)
    with TemporaryDirectory() as folder:
        place = asked.out or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        how = (asked.minutes, asked.size, chosen, place)
        if asked.what == "world":
            judge_world(asked.pictures, asked.tested, *how)
        else:
            judge_flickr(asked.path, *how)
