"""A folder of pictures, one sub-folder a class; train, validation and test sub-folders are the split."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nervura.errors import SourceError
from nervura.pictures import is_picture
from nervura.sources.base import PART_NAMES, PICTURE, Source, Table, as_text

_OTHERS = (".parquet", ".pq", ".parq")


class ImagesSource(Source):
    """One row per picture: its path from the folder on, the picture, the ``label`` that its sub-folder gives it, and the
    ``part`` of the split where the folder has sub-folders called train, validation (valid, val, dev) and test.

    Files that are hidden or no pictures by their ending are passed over. Nothing is opened.
    """

    name = "images"
    summary = "pictures: a folder with one sub-folder a class (JPEG, PNG, WebP, GIF, BMP, TIFF)"

    def matches(self, source: Any) -> bool:
        text = as_text(source)
        if text is None or "://" in text or not Path(text).expanduser().is_dir():
            return False
        names = [name for _, names in _walk(Path(text).expanduser()) for name in names]
        return any(map(is_picture, names)) and not any(name.lower().endswith(_OTHERS) for name in names)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        folder = Path(as_text(source) or "").expanduser().absolute()
        files = sorted(
            (place.relative_to(folder) / name).as_posix()
            for place, names in _walk(folder)
            for name in names
            if is_picture(name)
        )
        if not files:
            raise SourceError(f"A folder of pictures holds pictures; '{folder}' has none.")
        parts = [PART_NAMES.get(file.split("/")[0].lower()) for file in files]
        split = "train" in parts and len(set(parts) - {None}) > 1
        inside = [
            file.split("/")[1:] if split and part else file.split("/") for file, part in zip(files, parts, strict=True)
        ]
        labels = [places[0] if len(places) > 1 else None for places in inside]
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
            folder.name or "pictures",
            str(folder),
            {"format": "images", "files": len(files), "classes": len(classes)},
            target="label" if classes else None,
            in_memory=True,
            pictures=True,
            part="part" if split else None,
            names="path",
        )


def _walk(folder: Path) -> list[tuple[Path, list[str]]]:
    """Every folder below and the files in it, without hidden ones and what other systems leave in archives."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        found.append((Path(place), [name for name in names if not name.startswith(".")]))
    return found
