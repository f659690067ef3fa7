"""In what encoding bytes are text, or what else they are."""

from __future__ import annotations

import codecs
from importlib.util import find_spec

from nervura.errors import SourceError

OTHER_KINDS = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
}
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ENOUGH = 1 << 20  # bytes that tell an encoding


def utf_16(head: bytes) -> str | None:
    """The name of the encoding of bytes that are UTF-16, with its mark or without; None for others."""
    if head[:2] in _UTF_16:
        return _UTF_16[head[:2]]
    even, odd = head[: 1 << 12 : 2], head[1 : 1 << 12 : 2]
    if len(odd) >= 4 and odd.count(0) > 0.7 * len(odd) and not even.count(0):
        return "utf-16-le"
    if len(odd) >= 4 and even.count(0) > 0.7 * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def binary(head: bytes) -> str | None:
    """What bytes are that are no text, such as ``a PDF``, empty where that is not known; None for text."""
    kind = next((kind for magic, kind in OTHER_KINDS.items() if head.startswith(magic)), None)
    control = sum(head.count(code) for code in range(32) if code not in b"\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f")
    if kind is None and b"\0" not in head and control <= 0.02 * len(head):
        return None
    return kind or ""


def guessed(head: bytes, name: str) -> str:
    """The encoding of text that is no Unicode: Western letters unless most letters are foreign, since guessing by frequency
    goes wrong on a few accents.

    Raises:
        SourceError: to tell it takes a package that is not installed.
    """
    high = sum(head.count(code) for code in range(0x80, 0x100))
    letters = sum(head.count(code) for code in (*range(0x41, 0x5B), *range(0x61, 0x7B)))
    if high > 0.4 * (high + letters):
        if find_spec("charset_normalizer") is None:
            raise SourceError(
                f"Text is read as UTF-8 or Western European; '{name}' is neither. Save it as UTF-8, or write: "
                "pip install charset-normalizer"
            )
        from charset_normalizer import from_bytes

        best = from_bytes(head[:_ENOUGH]).best()
        if best is not None:
            return best.encoding
    undefined = any(code in head for code in b"\x81\x8d\x8f\x90\x9d")
    return "latin-1" if undefined else "cp1252"


def encoding_of(data: bytes, name: str) -> str | None:
    """The encoding in which a whole file is text; None where it is none.

    Args:
        name: of the file, for people.
    """
    found = utf_16(data)
    if found is None:
        if binary(data[:_ENOUGH]) is not None:
            return None
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return guessed(data[:_ENOUGH], name)
        return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        data.decode(found)
    except UnicodeDecodeError:
        return None
    return found
