"""The contract of a body: it reads the rows of a request, written in one form, as columns of values."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

from nervura.serving_fields import Fields


@dataclass
class Given:
    """The rows of a request.

    Attributes:
        columns: a list of values for each field, of equal lengths.
        as_text: whether every value is a text that is still to be read, as in CSV.
    """

    columns: dict[str, list[Any]]
    as_text: bool = False

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), []))


class Body:
    """One form of rows. A subclass in a file of this folder is found by the shelf.

    Attributes:
        media: the media types that it is sent as, the usual one first; ``image/*`` stands for all that begin so.
        requires: packages beyond those of serving, each with the extra that installs it.
        of_pictures: whether it carries pictures, and not rows of a table.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    media: ClassVar[tuple[str, ...]]
    requires: ClassVar[list[tuple[str, str]]] = []
    of_pictures: ClassVar[bool] = False

    def missing(self) -> list[tuple[str, str]]:
        """The packages that are required and not installed, each with its extra."""
        return [(package, extra) for package, extra in self.requires if find_spec(package) is None]

    def takes(self, media: str) -> bool:
        """Whether it is sent as this media type, in small letters and without parameters."""
        return any(media.startswith(one[:-1]) if one.endswith("*") else media == one for one in self.media)

    def read(self, content: bytes, content_type: str, fields: Fields, most_rows: int) -> Given:
        """The rows in ``content``.

        Args:
            content_type: the media type with its parameters.

        Raises:
            BadRequest: they cannot be read, are other columns than those of ``fields``, or are more than ``most_rows``.
        """
        raise NotImplementedError

    def example(self, fields: Fields) -> Any:
        """Rows of typical values in this form, for the description of the server; None where it is not text."""
        return None

    def schema(self, fields: Fields) -> dict[str, Any]:
        """This form as JSON Schema."""
        raise NotImplementedError
