"""A folder of pictures, one sub-folder a class, or one picture; train, validation and test sub-folders are the split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nervura.errors import SourceError
from nervura.pictures import is_picture
from nervura.sources.base import PICTURE, Source, Table, as_text, by_folder, files_below, walk

_OTHERS = (".parquet", ".pq", ".parq")


class ImagesSource(Source):
    """One row per picture: its path from the folder on, the picture, the ``label`` that its sub-folder gives it, and the
    ``part`` of the split where the folder has sub-folders called train, validation (valid, val, dev) and test. A folder
    around all others, as archives have it, is passed through. Pictures beside the sub-folders, or in one called
    ``unlabelled``, have no label.

    Files that are hidden or no pictures by their ending are passed over. Nothing is opened.
    """

    name = "images"
    summary = "pictures: a folder with one sub-folder a class (JPEG, PNG, WebP, GIF, BMP, TIFF)"

    def matches(self, source: Any) -> bool:
        text = as_text(source)
        if text is None or "://" in text:
            return False
        place = Path(text).expanduser()
        if not place.is_dir():
            return is_picture(place.name) and place.is_file()
        names = [name for _, names in walk(place) for name in names]
        return any(map(is_picture, names)) and not any(name.lower().endswith(_OTHERS) for name in names)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        given = Path(as_text(source) or "").expanduser().absolute()
        folder, files = (given.parent, [given.name]) if given.is_file() else (given, files_below(given, is_picture))
        if not files:
            raise SourceError(f"A folder of pictures holds pictures; '{folder}' has none.")
        sorted_in = by_folder(files)
        labels, parts, classes = sorted_in.labels, sorted_in.parts, sorted_in.classes
        columns: dict[str, Any] = {
            "path": files,
            PICTURE: [str(folder / file) for file in files],
            # Names, also where they are written in digits.
            "label": pl.Series(labels, dtype=pl.Enum(classes)),
        }
        if parts:
            columns["part"] = parts
        return Table(
            pl.DataFrame(columns).lazy(),
            (given.stem if given.is_file() else given.name) or "pictures",
            str(given),
            {"format": "images", "files": len(files), "classes": len(classes)},
            sorted_in.notes(folder, "pictures") if classes else (),
            target="label" if classes else None,
            in_memory=True,
            pictures=True,
            part="part" if parts else None,
            names="path",
        )
