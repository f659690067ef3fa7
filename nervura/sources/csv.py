"""CSV and its kin: commas, semicolons, tabs or pipes; UTF-8 or older encodings; plain, gzip or Zstandard.

A regular UTF-8 file is scanned where it lies. What Polars cannot scan (compressed, another encoding, quotes inside
unquoted fields, blank lines) is first written, piece by piece, as a regular file that lasts as long as the process.
"""

from __future__ import annotations

import atexit
import codecs
import contextlib
import csv
import gzip
import hashlib
import os
import re
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura import decoding
from nervura.errors import MissingDependency, SourceError
from nervura.parsing import MISSING_WORDS, infer_parsing, missing_words, number_pattern
from nervura.sources.base import (
    Source,
    Table,
    as_text,
    existing_file,
    has_ending,
    short_name,
    unique_names,
)

if TYPE_CHECKING:
    import polars as pl

_ENDINGS = tuple(kind + packed for kind in (".csv", ".tsv", ".tab", ".txt") for packed in ("", ".gz", ".zst"))
_HEAD = 1 << 20  # bytes looked at to find out how the file is written
_PIECE = 1 << 22  # bytes held in memory while a file is walked through
_SAMPLE = 5000  # rows looked at for words that mean missing
_SEPARATORS = ("\t", ";", "|", ",")  # among equally good ones the earlier: commas also stand inside numbers and text
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class CsvSource(Source):
    """Every column arrives as strings, trimmed, with the words for missing as nulls."""

    name = "csv"
    summary = "CSV: FILE.csv, .tsv or .txt, also .gz and .zst"

    def matches(self, source: Any) -> bool:
        return has_ending(source, _ENDINGS)

    def resembles(self, source: Any) -> bool:
        text = as_text(source)
        return text is not None and _looks_like_a_table(Path(text).expanduser())

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        path = existing_file(source)
        plain, compression = _decompressed(path)
        plain, encoding, notes = _in_utf_8(plain, path)
        with plain.open("rb") as file:
            head = file.read(_HEAD)
        text = head.decode("utf-8-sig", errors="ignore")  # the end may cut a letter in two
        if not text.strip():
            raise SourceError(f"A table has a header and rows; the file '{path}' holds nothing but white space.")
        form = _find_form(text, whole=len(head) < _HEAD)
        given, first_rows = _first_rows(text, form)
        if not first_rows:
            raise SourceError(
                f"A table has a header and rows below it; the file '{path}' has one line alone: {_shown(given)}. "
                "Add rows, or name another file."
            )
        names, renamed = unique_names(given if form.has_header else [""] * len(given))
        if form.has_header:
            notes.extend(renamed)
        else:
            notes.append(f"The first line looks like data, not like a header; the columns are called {_shown(names)}.")
        rewritten = not _is_regular(plain, form, len(names))
        if rewritten:
            plain = _rewritten(plain, path, form, len(names))
        frame = pl.scan_csv(
            plain,
            has_header=form.has_header,
            separator=form.separator if not rewritten else ",",
            quote_char=form.quote if not rewritten else '"',
            skip_lines=form.skip_lines if not rewritten else 0,
            infer_schema=False,
            new_columns=names,
            glob=False,
        )
        words = _words(frame.head(_SAMPLE).collect(), names)
        notes.extend(words.notes)
        frame = frame.with_columns(_trimmed(name, words) for name in names)
        reading = {
            "format": "csv",
            "separator": form.separator,
            "encoding": encoding,
            "compression": compression,
            "quote": form.quote,
            "has_header": form.has_header,
            "regular": not rewritten,
            "skip_lines": form.skip_lines,
            "decimal": words.decimal,
            "null_words": list(MISSING_WORDS),
            "null_words_in": words.more,
            "null_words_kept": words.kept,
        }
        return Table(frame, short_name(path), str(path), reading, tuple(notes))


@dataclass(frozen=True)
class _Form:
    """How the file is written."""

    separator: str
    quote: str | None
    has_header: bool = True
    skip_lines: int = 0

    def rows(self, lines: Any) -> Iterator[list[str]]:
        """The records of ``lines`` as Python's csv module understands them; blank lines are empty records."""
        if self.quote is None:
            return csv.reader(lines, delimiter=self.separator, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.separator, quotechar=self.quote, skipinitialspace=True)


@dataclass(frozen=True)
class _Words:
    """Words for missing of single columns, beside those that count everywhere, and the file's decimal mark."""

    more: dict[str, list[str]]
    kept: dict[str, list[str]]
    decimal: str | None
    notes: tuple[str, ...]


# --- From bytes to a UTF-8 file ---


def _decompressed(path: Path) -> tuple[Path, str | None]:
    with path.open("rb") as file:
        start = file.read(16)
    compression = next((kind for magic, kind in _COMPRESSED.items() if start.startswith(magic)), None)
    if compression is None:
        if path.suffix.lower() in (".gz", ".zst"):
            raise SourceError(
                f"A file that ends with {path.suffix} is compressed; '{path}' is not. Take the ending off its name."
            )
        return path, None
    pieces = _gzip_pieces if compression == "gzip" else _zstd_pieces
    return _written_once(path, "decompressed", lambda file: file.writelines(pieces(path))), compression


def _gzip_pieces(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _cut_off(path) from error


def _zstd_pieces(path: Path) -> Iterator[bytes]:
    if find_spec("zstandard") is None:
        raise MissingDependency(f"Reading '{path}'", "zstandard", "zstd")
    import zstandard

    with path.open("rb") as file:
        frame = zstandard.ZstdDecompressor().decompressobj()
        left = b""
        begun = False
        while piece := left or file.read(_PIECE):
            try:
                yield frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise _cut_off(path) from error
            begun, left = True, b""
            if frame.eof:
                # A file may hold several frames, one after the other.
                left, begun = frame.unused_data, False
                frame = zstandard.ZstdDecompressor().decompressobj()
        if begun:
            raise _cut_off(path)


def _cut_off(path: Path) -> SourceError:
    return SourceError(
        f"A compressed file is whole; '{path}' is damaged or cut off before its end. Copy or download it again."
    )


def _in_utf_8(plain: Path, path: Path) -> tuple[Path, str, list[str]]:
    """The file as UTF-8, the encoding it had, and notes."""
    with plain.open("rb") as file:
        head = file.read(_HEAD)
    encoding = decoding.utf_16(head)
    if encoding is None:
        _decline_binary(head, path)
        if _is_utf_8(plain):
            return plain, "utf-8", []
        with plain.open("rb") as file:
            encoding = decoding.guessed(file.read(16 * _HEAD), str(path))
    notes = []
    if not encoding.startswith("utf"):
        notes.append(f"The file is not UTF-8; it is read as {encoding}. If letters look wrong, save the file as UTF-8.")

    def write(file: Any) -> None:
        decode = codecs.getincrementaldecoder(encoding)()
        with plain.open("rb") as pieces:
            while piece := pieces.read(_PIECE):
                file.write(decode.decode(piece).encode())
            file.write(decode.decode(b"", final=True).encode())

    try:
        return _written_once(path, f"from-{encoding}", write), encoding, notes
    except UnicodeDecodeError as error:
        raise SourceError(
            f"A text file has one encoding; '{path}' looks like {encoding} but is not: {error.reason}. Save it as UTF-8."
        ) from error


def _decline_binary(head: bytes, path: Path) -> None:
    kind = decoding.binary(head)
    if kind is None:
        return
    raise SourceError(
        f"A CSV file holds text; '{path}' is binary{f', it begins like {kind}' if kind else ''}. "
        "Give the file the ending of what it is, or save it as CSV."
    )


def _is_utf_8(plain: Path) -> bool:
    decode = codecs.getincrementaldecoder("utf-8")()
    try:
        with plain.open("rb") as file:
            while piece := file.read(_PIECE):
                decode.decode(piece)
        decode.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@cache
def _own_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="nervura-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _written_once(path: Path, what: str, write: Callable[[Any], None]) -> Path:
    """A temporary file made from ``path``; the same one again while ``path`` has not changed."""
    state = path.stat()
    key = f"{path}\n{state.st_mtime_ns}\n{state.st_size}\n{what}"
    made = _own_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.csv"
    if not made.exists():
        descriptor, partial = tempfile.mkstemp(dir=made.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
            os.replace(partial, made)
        except BaseException:
            os.unlink(partial)
            raise
    return made


# --- How the text is laid out ---


def _looks_like_a_table(path: Path) -> bool:
    """True for text whose lines all have the same number, at least 2, of separated fields."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return False
    if b"\0" in head or head.lstrip()[:1] in (b"{", b"[", b"<", b"#", b"%", b""):
        return False
    text = head.decode("utf-8-sig", errors="replace")
    form = _find_form(text, whole=len(head) < 1 << 16)
    counts = [len(row) for row in _some_rows(text, form)]
    return len(counts) > 1 and counts[0] > 1 and len(set(counts)) == 1


def _find_form(text: str, whole: bool) -> _Form:
    skip_lines = 0
    separators: tuple[str, ...] = _SEPARATORS
    first, _, rest = text.partition("\n")
    hint = first.strip().lower()
    if hint.startswith("sep=") and len(hint) == 5:  # Excel's own hint
        skip_lines, separators, text = 1, (hint[4],), rest
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    quote = "'" if _in_single_quotes(text) else '"'
    best, separator = 0.0, separators[0] if skip_lines else ","
    for tried in separators:
        score = max(_agreement(text, _Form(tried, quote)), _agreement(text, _Form(tried, None)) - 0.001)
        if score > best:
            best, separator = score, tried
    form = _Form(separator, quote)
    unquoted = _agreement(text, _Form(separator, None))
    swallowed = any("\n" in field for row in _some_rows(text, form) for field in row)
    # Where every line is a whole row if quotes are only letters, a quote that spans lines is a stray one.
    if unquoted > _agreement(text, form) or (swallowed and unquoted == 1):
        form = _Form(separator, None)
    return _Form(separator, form.quote, _has_header(_some_rows(text, form)), skip_lines)


def _some_rows(text: str, form: _Form, count: int = 300) -> list[list[str]]:
    """The first records that are not blank; none where the text cannot be cut so."""
    with _long_fields():
        try:
            return list(islice(filter(None, form.rows(StringIO(text, newline=""))), count))
        except csv.Error:
            return []


def _agreement(text: str, form: _Form) -> float:
    """The share of rows with as many fields as most, half of it if the first row is none of them; 0 for one field."""
    counts = [len(row) for row in _some_rows(text, form)]
    fields, times = Counter(counts).most_common(1)[0] if counts else (0, 0)
    if fields < 2:
        return 0.0
    return times / len(counts) * (1.0 if counts[0] == fields else 0.5)


def _in_single_quotes(text: str) -> bool:
    """Single quotes are apostrophes more often than quotes; they count where they enclose a field of most lines."""
    if '"' in text or "'" not in text:
        return False
    lines = [line for line in text[: 1 << 16].splitlines() if line.strip()]
    return sum(bool(re.search(r"(?:^|[,;|\t])\s*'[^']*'\s*(?:$|[,;|\t])", line)) for line in lines) > 0.5 * len(lines)


def _has_header(rows: list[list[str]]) -> bool:
    """False when the first row looks like data: a number with decimals, the same number twice, whole numbers out of
    order, or a number beside a word that comes again below. Rising whole numbers may be names (years, pixels)."""
    first = [field.strip() for field in rows[0]] if rows else []
    point, comma = number_pattern(".", ""), number_pattern(",", "")
    numbers = [field for field in first if re.match(point, field) or re.match(comma, field)]
    if not numbers or len(rows) < 2:
        return True
    if any(not field.lstrip("+-").isdigit() for field in numbers) or len(set(numbers)) < len(numbers):
        return False
    if len(numbers) == len(first) and numbers != sorted(numbers, key=int):
        return False
    words = [(place, field) for place, field in enumerate(first) if field and field not in numbers]
    below = [row for row in rows[1:] if len(row) == len(first)]
    return not any(field == row[place].strip() for place, field in words for row in below)


def _first_rows(text: str, form: _Form) -> tuple[list[str], list[list[str]]]:
    """The names (or, without a header, the first row) and some rows of data."""
    if form.skip_lines:
        text = text.partition("\n")[2]
    rows = _some_rows(text, form, 3)
    if not rows:
        return [], []
    return (rows[0], rows[1:]) if form.has_header else (rows[0], rows)


def _shown(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


# --- Rows that do not fit ---


def _is_regular(plain: Path, form: _Form, columns: int) -> bool:
    """True when Polars can scan the file as it is: all rows have ``columns`` fields, quotes enclose whole fields, lines
    end with a newline, none is blank. One pass over the bytes, vectorised."""
    left = b""
    first = True
    with plain.open("rb") as file:
        for _ in range(form.skip_lines):
            file.readline()
        while True:
            piece = file.read(_PIECE)
            if first:
                piece, first = piece.removeprefix(codecs.BOM_UTF8), False
            block = left + piece
            if not block:
                return True
            fits, used = _fits(block, form, columns, last=not piece)
            if not fits:
                return False
            if not piece:
                return True
            left = block[used:]


def _fits(block: bytes, form: _Form, columns: int, last: bool) -> tuple[bool, int]:
    """Whether the complete lines of ``block`` are regular, and how many bytes they take."""
    import numpy as np

    if last and not block.endswith(b"\n"):
        block += b"\n"
    data = np.frombuffer(block, dtype=np.uint8)
    newline = data == 10
    separator = data == ord(form.separator)
    if form.quote is not None and form.quote.encode() in block:
        quote = data == ord(form.quote)
        # Every quote opens or closes; a doubled one does both, so that the parity tells what is inside.
        inside = (np.cumsum(quote, dtype=np.uint8) & 1).astype(bool)
        newline &= ~inside
        separator &= ~inside
        before = np.concatenate([[True], newline[:-1] | separator[:-1] | quote[:-1]])
        carriage = data == 13
        after = np.concatenate([newline[1:] | separator[1:] | quote[1:] | carriage[1:], [True]])
        if not before[quote & inside].all() or not after[quote & ~inside].all():
            return False, 0
        lone = carriage & ~inside
    else:
        lone = data == 13
    ends = np.flatnonzero(newline)
    if not len(ends):
        return not last, 0
    used = int(ends[-1]) + 1
    lone = lone[:used]
    if lone.any() and not newline[np.flatnonzero(lone) + 1].all():
        return False, 0
    starts = np.concatenate([[0], ends[:-1] + 1])
    blank = (ends - starts == 0) | ((ends - starts == 1) & (data[starts] == 13))
    fields = np.diff(np.searchsorted(np.flatnonzero(separator), ends), prepend=0) + 1
    if blank.any() or (fields != columns).any():
        return False, 0
    return used == len(block) or not last, used


def _rewritten(plain: Path, path: Path, form: _Form, columns: int) -> Path:
    """The same rows as a regular file, read with Python's csv module.

    Raises:
        SourceError: a row has more or fewer fields than the header; a quote is never closed.
    """

    def write(file: Any) -> None:
        text = codecs.getwriter("utf-8")(file)
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        with plain.open(encoding="utf-8-sig", newline="") as lines, _long_fields():
            for _ in range(form.skip_lines):
                lines.readline()
            rows = form.rows(lines)
            begun = line = form.skip_lines + 1
            try:
                for row in rows:
                    begun, line = line, form.skip_lines + rows.line_num + 1  # type: ignore[attr-defined]
                    if len(row) == columns:
                        writer.writerow(row)
                    elif row:
                        raise SourceError(_ragged(path, begun, len(row), columns, form))
                    elif columns == 1:
                        writer.writerow([""])
            except csv.Error as error:
                raise SourceError(
                    f"A CSV file has rows of fields; '{path}' breaks off in line {begun}: {error}."
                ) from error
            if line > begun + 1:
                _check_closed(plain, path, form, begun)

    return _written_once(path, f"regular {form} {columns}", write)


def _check_closed(plain: Path, path: Path, form: _Form, begun: int) -> None:
    """A quote that is never closed makes all that follows one field, without a word from the csv module."""
    with plain.open(encoding="utf-8-sig", newline="") as lines:
        last = "".join(islice(lines, begun - 1, None))
    if form.quote is not None and last.count(form.quote) % 2:
        raise SourceError(
            f"Every quote is closed; in '{path}' one that opens in line {begun} is not. Add the closing {form.quote}."
        )


def _ragged(path: Path, line: int, given: int, columns: int, form: _Form) -> str:
    named = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}.get(form.separator, form.separator)
    return (
        f"Every row has as many fields as the {'header' if form.has_header else 'first row'}, {columns}; "
        f"line {line} of '{path}' has {given} (separated by {named}). "
        "Mend that line, or put quotes around a field that holds a separator."
    )


@contextlib.contextmanager
def _long_fields() -> Iterator[None]:
    """Texts longer than the csv module's limit of 128 KiB are data, not an attack; the limit is global, so it is
    put back."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


# --- Words that mean missing ---

_VOTES = 200  # columns that settle the decimal mark of a file; tables of thousands have no second opinion


def _words(sample: pl.DataFrame, names: list[str]) -> _Words:
    distinct = {name: sample[name].str.strip_chars().drop_nulls().unique(maintain_order=True) for name in names}
    marks: Counter[str] = Counter()
    for values in distinct.values():
        if marks.total() >= _VOTES:
            break
        if not values.str.contains("[0-9][.,][0-9]").any():
            continue
        found = infer_parsing(values.filter(~values.str.to_lowercase().is_in([w.lower() for w in MISSING_WORDS])))
        if found is not None and found["as"] == "number" and not found.get("ambiguous"):
            shown = values.str.contains(r"[0-9]" + ("[.]" if found["decimal"] == "." else ",") + "[0-9]").any()
            marks[found["decimal"]] += 1 if shown else 0
    decimal = marks.most_common(1)[0][0] if marks.total() else None
    more: dict[str, list[str]] = {}
    kept: dict[str, list[str]] = {}
    notes: list[str] = []
    for name, values in distinct.items():
        missing = missing_words(values, decimal)
        if extra := [word for word in missing if word not in MISSING_WORDS]:
            more[name] = extra
            notes.append(f"In the column '{name}', {_quoted(extra)} is read as missing: all else is numbers or dates.")
        if spared := [word for word in values.filter(values.is_in(list(MISSING_WORDS))) if word not in missing]:
            kept[name] = spared
            notes.append(f"In the column '{name}', {_quoted(spared)} is kept as a value: all else is two-letter codes.")
    return _Words(more, kept, decimal, tuple(notes))


def _quoted(words: list[str]) -> str:
    return " and ".join(f"'{word}'" for word in words)


def _trimmed(name: str, words: _Words) -> pl.Expr:
    import polars as pl

    text = pl.col(name).str.strip_chars()
    missing = [word for word in (*MISSING_WORDS, *words.more.get(name, ())) if word not in words.kept.get(name, ())]
    return pl.when(~text.is_in(missing)).then(text).alias(name)
