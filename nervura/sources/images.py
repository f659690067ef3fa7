"""A folder of pictures, one sub-folder a class, or one picture; train, validation and test sub-folders are the split."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nervura.errors import SourceError
from nervura.pictures import is_picture
from nervura.sources.base import PART_NAMES, PICTURE, Source, Table, as_text

_OTHERS = (".parquet", ".pq", ".parq")
_PASSED_OVER = (".", "__MACOSX")
UNLABELLED = ("unlabelled", "unlabeled")
"""A sub-folder of one of these names is no class."""


class ImagesSource(Source):
    """One row per picture: its path from the folder on, the picture, the ``label`` that its sub-folder gives it, and the
    ``part`` of the split where the folder has sub-folders called train, validation (valid, val, dev) and test. A folder
    around all others, as archives have it, is passed through. Pictures beside the sub-folders, or in one called
    ``unlabelled``, have no label.

    Files that are hidden or no pictures by their ending are passed over. Nothing is opened.
    """

    name = "images"
    summary = (
        "pictures: a folder with one sub-folder a class (JPEG, PNG, WebP, GIF, BMP, TIFF); to predict also one file"
    )

    def matches(self, source: Any) -> bool:
        text = as_text(source)
        if text is None or "://" in text:
            return False
        place = Path(text).expanduser()
        if not place.is_dir():
            return is_picture(place.name) and place.is_file()
        names = [name for _, names in _walk(place) for name in names]
        return any(map(is_picture, names)) and not any(name.lower().endswith(_OTHERS) for name in names)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        given = Path(as_text(source) or "").expanduser().absolute()
        folder, files = (given.parent, [given.name]) if given.is_file() else (given, _pictures_below(given))
        if not files:
            raise SourceError(f"A folder of pictures holds pictures; '{folder}' has none.")
        below = [file.split("/") for file in files]
        around = _around(below)
        below = [places[len(around) :] for places in below]
        parts = [PART_NAMES.get(places[0].lower()) for places in below]
        split = "train" in parts and len(set(parts) - {None}) > 1
        inside = [places[1:] if split and part else places for places, part in zip(below, parts, strict=True)]
        labels = [_label(places) for places in inside]
        classes = sorted({label for label in labels if label is not None})
        columns: dict[str, Any] = {
            "path": files,
            PICTURE: [str(folder / file) for file in files],
            # Names, also where they are written in digits.
            "label": pl.Series(labels, dtype=pl.Enum(classes)),
        }
        if split:
            columns["part"] = parts
        return Table(
            pl.DataFrame(columns).lazy(),
            (given.stem if given.is_file() else given.name) or "pictures",
            str(given),
            {"format": "images", "files": len(files), "classes": len(classes)},
            _notes(folder, around, inside, split) if classes else (),
            target="label" if classes else None,
            in_memory=True,
            pictures=True,
            part="part" if split else None,
            names="path",
        )


def _label(places: list[str]) -> str | None:
    """The class that the folders of a picture tell."""
    return places[0] if len(places) > 1 and places[0].lower() not in UNLABELLED else None


def _pictures_below(folder: Path) -> list[str]:
    return sorted(
        (place.relative_to(folder) / name).as_posix()
        for place, names in _walk(folder)
        for name in names
        if is_picture(name)
    )


def _around(below: list[list[str]]) -> list[str]:
    """The folders around all others, as archives and a lone train folder have them: one class alone teaches nothing."""
    depth = 0
    while len({tuple(places[: depth + 1]) for places in below}) == 1 and min(map(len, below)) > depth + 2:
        depth += 1
    return below[0][:depth]


def _notes(folder: Path, around: list[str], inside: list[list[str]], split: bool) -> tuple[str, ...]:
    """What of a folder is not what it may seem."""
    notes = []
    if around:
        notes.append(f"All pictures are below '{'/'.join(around)}', so the sub-folders of that are the classes.")
    root = folder.joinpath(*around)
    level = [root] + [place for place in _folders(root) if split and place.name.lower() in PART_NAMES]
    classes = {places[0] for places in inside if len(places) > 1}
    for name in sorted(name for name in classes if name.lower() in UNLABELLED):
        count = sum(len(places) > 1 and places[0] == name for places in inside)
        notes.append(f"{count:,} pictures below '{name}' have no label.")
    empty = {place.name for above in level for place in _folders(above) if place not in level} - classes
    if empty:
        notes.append(f"These folders hold no picture and are no classes: {', '.join(sorted(empty))}.")
    return tuple(notes)


def _folders(folder: Path) -> list[Path]:
    return [Path(entry) for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(_PASSED_OVER)]


def _walk(folder: Path) -> list[tuple[Path, list[str]]]:
    """Every folder below and the files in it, without hidden ones and what other systems leave in archives."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(_PASSED_OVER))
        found.append((Path(place), [name for name in names if not name.startswith(".")]))
    return found
