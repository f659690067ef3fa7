"""Sources: what can be read. One file reads one kind of input."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nervura.errors import MissingDependency, SourceError, did_you_mean
from nervura.shelf import Shelf
from nervura.sources.base import Source, Table, as_text, with_pictures

sources: Shelf[Source] = Shelf("nervura.sources", "nervura.sources.base.Source", "source")


def read(source: Any, table: str | None = None) -> Table:
    """Reads ``source`` with the first member of the shelf that recognises it; see ``Source.read``.

    Pictures in the table stand in its column ``picture``.
    """
    if isinstance(source, Table):
        return source
    if find_spec("polars") is None:
        raise MissingDependency("Reading a table", "polars", "tensorflow")
    recognised = next((member for member in sources if member.matches(source)), None)
    recognised = recognised or next((member for member in sources if member.resembles(source)), None)
    if recognised is not None:
        return with_pictures(recognised.read(source, table=table))
    readable = "Readable are: " + "; ".join(member.summary for member in sources)
    raise SourceError(f"{_why_unreadable(source)} {readable}")


def _why_unreadable(source: Any) -> str:
    rule = "A source is a file, a folder, an SQL address, toy:NAME or a table in memory;"
    text = as_text(source)
    if text is None:
        return f"{rule} given was an object of the type {type(source).__module__}.{type(source).__qualname__}."
    path = Path(text).expanduser()
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())
        held = f"it holds {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}" if names else "it is empty"
        advice = "Name one file of it" if any(entry.is_file() for entry in path.iterdir()) else "Name another one"
        return f"{rule} the folder '{text}' has no files that can be read together: {held}. {advice}."
    if path.exists():
        return f"{rule} the file '{text}' is of no kind that is known by its ending or its first lines."
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = did_you_mean(path.name, names) if names else ""
    # Without a close name the whole folder would be listed, which helps nobody who meant no file at all.
    return (
        f"{rule} there is no file '{text}'. {hint}".rstrip()
        if hint.startswith("Did")
        else f"{rule} given was {text!r}."
    )
