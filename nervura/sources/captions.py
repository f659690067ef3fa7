"""Pictures with captions: a file of captions in the form of Flickr or of COCO, and the folder of its pictures."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nervura.errors import SourceError
from nervura.pictures import is_picture
from nervura.sources.base import PART_NAMES, PICTURE, Source, Table, as_text, has_ending, short_name

_LINES, _JSON = (".csv", ".txt", ".tsv", ".token"), (".json",)
_CHUNK = 2**20
_MOST_NAMED = 10
_PASSED_OVER = (".", "__MACOSX")
_NUMBERED = re.compile(r"(?P<picture>.+\.\w+)#\d+\t(?P<text>.*)")
_PARTS = re.compile(rf"(?<![a-z])({'|'.join(PART_NAMES)})(?![a-z])")
_HEADS = {
    "image": ("image", "image_name", "picture", "photo", "path", "file", "file_name", "filename"),
    "caption": ("caption", "comment", "sentence", "text", "description"),
}


class CaptionsSource(Source):
    """One row per picture: its path from the folder on, the picture, all its ``captions``, and the ``part`` of the split
    where the files tell it.

    Files of captions are told by their content: lines ``picture,caption`` below such a header, a line for each caption;
    lines ``picture#number<tab>caption``, both as Flickr8k comes; JSON with ``images`` and ``annotations``, as COCO comes.
    Of a folder all such files are read. Pictures are looked for by name beside a file of captions and below. The part is
    told by the names of COCO's files (``captions_val2017.json``), by a ``split`` in them, or by lists of names such as
    ``Flickr_8k.trainImages.txt``. A picture without a caption has none in its row; a caption without a picture is left
    out. Both are noted.
    """

    name = "captions"
    summary = "pictures with captions: a folder of them, or its file of captions"

    def matches(self, source: Any) -> bool:
        text = as_text(source)
        if text is None or "://" in text:
            return False
        place = Path(text).expanduser()
        if place.is_dir():
            return bool(_files_in(place)) and any(True for _ in _pictures_below(place))
        return place.is_file() and _holds_captions(place) and any(True for _ in _pictures_below(_root(place)))

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        given = Path(as_text(source) or "").expanduser().absolute()
        files = [given] if given.is_file() else _files_in(given)
        if not files:
            raise SourceError(f"A folder of captioned pictures has a file of captions; '{given}' has none.")
        folder = given if given.is_dir() else _root(given)
        paths = {path.relative_to(folder).as_posix(): path for path in sorted(_pictures_below(folder))}
        by_name = {place.rpartition("/")[2]: place for place in reversed(paths)}
        texts: dict[str, list[str]] = {place: [] for place in paths}
        parts = {by_name[name]: part for name, part in _listed_parts(folder).items() if name in by_name}
        lost: dict[str, None] = {}
        for file in files:
            for name, own, part in _captions(file):
                place = name if name in texts else by_name.get(name.replace("\\", "/").rpartition("/")[2])
                if place is None:
                    lost |= {name: None} if own else {}
                    continue
                texts[place] += own
                if part is not None:
                    parts.setdefault(place, part)
        if not any(texts.values()):
            raise SourceError(
                f"Captions belong to pictures; of those in '{files[0]}' none is beside it or below. Put the file of "
                "captions into the folder of its pictures."
            )
        without = [place for place, own in texts.items() if not own]
        columns: dict[str, Any] = {
            "path": list(paths),
            PICTURE: [str(path) for path in paths.values()],
            "captions": pl.Series([own or None for own in texts.values()], dtype=pl.List(pl.String)),
        }
        known = [parts.get(place) for place in paths]
        split = "train" in known and len(set(known) - {None}) > 1
        if split:
            columns["part"] = known
        notes = []
        if lost:
            notes.append(f"Captions are left out whose pictures are not there: {_listed(list(lost))}.")
        if without:
            notes.append(f"Pictures that have no caption: {_listed(without)}.")
        return Table(
            pl.DataFrame(columns).lazy(),
            short_name(given) if given.is_file() else given.name or "pictures",
            str(given),
            {"format": "captions", "files": len(paths), "captions": sum(map(len, texts.values()))},
            tuple(notes),
            target="captions",
            in_memory=True,
            pictures=True,
            part="part" if split else None,
            names="path",
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _files_in(folder: Path) -> list[Path]:
    """The files of captions of a folder, or of its sub-folder of annotations."""
    inside = [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and entry.name.lower() == "annotations"]
    entries = [entry for place in (folder, *inside) for entry in sorted(place.iterdir())]
    return [entry for entry in entries if entry.is_file() and not entry.name.startswith(".") and _holds_captions(entry)]


def _root(file: Path) -> Path:
    """The folder below which the pictures of a file of captions are."""
    folder = file.absolute().parent
    return folder.parent if folder.name.lower() == "annotations" else folder


def _pictures_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(_PASSED_OVER))
        yield from (Path(place, name) for name in names if is_picture(name) and not name.startswith("."))


def _holds_captions(file: Path) -> bool:
    """Whether a file is one of captions, by its content."""
    if has_ending(file, _JSON):
        return _has_words(file, (b'"images"', b'"annotations"', b'"caption"', b'"image_id"'))
    if not has_ending(file, _LINES):
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        first, second = lines.readline().rstrip("\n"), lines.readline().rstrip("\n")
    if (numbered := _NUMBERED.fullmatch(first)) and is_picture(numbered["picture"]):
        return True
    separator = _separator(first)
    places = _places(next(csv.reader([first], delimiter=separator), []))
    cells = next(csv.reader([second], delimiter=separator), [])
    return places is not None and len(cells) > places[0] and is_picture(cells[places[0]].strip())


def _has_words(file: Path, words: tuple[bytes, ...]) -> bool:
    left, before = set(words), b""
    with file.open("rb") as opened:
        while left and (chunk := opened.read(_CHUNK)):
            left -= {word for word in left if word in before + chunk}
            before = chunk[-32:]
    return not left


def _separator(line: str) -> str:
    return max(",\t|;", key=line.count)


def _places(head: Iterable[str]) -> tuple[int, int] | None:
    """Where picture and caption stand in lines below this header."""
    names = [name.strip().lower().removesuffix("s") for name in head]
    found = [next((i for i, name in enumerate(names) if name in known), None) for known in _HEADS.values()]
    return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def _captions(file: Path) -> Iterator[tuple[str, list[str], str | None]]:
    """The names of pictures, their captions and their parts, if the file tells these."""
    if has_ending(file, _JSON):
        yield from _of_coco(file)
        return
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        first = opened.readline()
        opened.seek(0)
        if _NUMBERED.fullmatch(first.rstrip("\r\n")):
            for line in opened:
                if found := _NUMBERED.fullmatch(line.rstrip("\r\n")):
                    yield found["picture"].strip(), _filled(found["text"]), None
            return
        separator = _separator(first)
        rows = csv.reader(opened, delimiter=separator)
        places = _places(next(rows))
        assert places is not None, "a file of captions is told by its header"
        picture, caption = places
        for row in rows:
            if len(row) > max(places) and row[picture].strip():
                # Commas of a last column that nobody quoted belong to the caption.
                whole = separator.join(row[caption:]) if caption > picture else row[caption]
                yield row[picture].strip(), _filled(whole), None


def _of_coco(file: Path) -> Iterator[tuple[str, list[str], str | None]]:
    try:
        held = json.loads(file.read_text(encoding="utf-8-sig"))
        images = {one["id"]: one for one in held["images"]}
        texts: dict[Any, list[str]] = {}
        for one in held["annotations"]:
            texts.setdefault(one["image_id"], []).extend(_filled(str(one["caption"])))
        part_of_all = _part_in(file.stem)
        found = [
            (
                str(one.get("file_name") or key),
                texts.pop(key, []),
                PART_NAMES.get(str(one.get("split")).lower(), part_of_all),
            )
            for key, one in images.items()
        ]
        # Captions of pictures that are not even listed are captions without a picture too.
        found += [(f"image_id {key}", own, part_of_all) for key, own in texts.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            "Captions in the form of COCO are JSON with a list of images (id, file_name) and a list of annotations "
            f"(image_id, caption); '{file}' is not so: {error!r}. Mend or save the file again."
        ) from error
    yield from found


def _filled(text: str) -> list[str]:
    return [text.strip()] if text.strip() else []


def _part_in(name: str) -> str | None:
    found = _PARTS.search(name.lower())
    return PART_NAMES[found[1]] if found else None


def _listed_parts(folder: Path) -> dict[str, str]:
    """The parts that lists of names such as ``Flickr_8k.devImages.txt`` tell, by the name of the picture."""
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*mages.txt")):
        part = _part_in(re.sub(r"(?i)_?images$", "", file.stem))
        if part is not None:
            names = file.read_text(encoding="utf-8-sig", errors="replace").split("\n")
            found |= {name.strip(): part for name in names if is_picture(name.strip())}
    return found
