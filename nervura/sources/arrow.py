"""Arrow IPC, also called Feather: files lazily, streams as a whole."""

from __future__ import annotations

import glob
from typing import Any

from nervura.errors import SourceError
from nervura.sources.base import Source, Table, existing_file, has_ending, short_name

_ENDINGS = (".arrow", ".feather", ".ipc", ".arrows")


class ArrowSource(Source):
    """The file format is scanned lazily; the stream format has no index and is read at once."""

    name = "arrow"
    summary = "Arrow: FILE.arrow, .feather or .ipc"

    def matches(self, source: Any) -> bool:
        return has_ending(source, _ENDINGS)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        path = existing_file(source)
        with path.open("rb") as file:
            start = file.read(6)
        if start.startswith(b"FEA1"):
            raise SourceError(f"Feather is read from version 2 on; '{path}' is version 1. Write it again as Feather 2.")
        stream = start != b"ARROW1"
        try:
            frame = pl.read_ipc_stream(path).lazy() if stream else pl.scan_ipc(glob.escape(str(path)))
            names = frame.collect_schema().names()
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).strip().split("\n")[0].rstrip(".")
            raise SourceError(
                f"An Arrow file is whole and begins with its schema; '{path}' cannot be read: {reason}. Write it again."
            ) from error
        if not names:
            raise SourceError(f"A table has columns; '{path}' has none.")
        reading = {"format": "arrow", "stream": stream}
        return Table(frame, short_name(path), str(path), reading, in_memory=stream)
