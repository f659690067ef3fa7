"""One picture as it is: the bytes of a JPEG, PNG or other file."""

from __future__ import annotations

from typing import Any

from nervura.bodies.base import Body, Given
from nervura.serving_fields import Fields


class PictureBody(Body):
    name = "picture"
    summary = "one picture: the bytes of its file"
    media = ("image/*",)
    of_pictures = True

    def read(self, content: bytes, content_type: str, fields: Fields, most_rows: int) -> Given:
        return Given({name: [content] for name in fields.names})

    def schema(self, fields: Fields) -> dict[str, Any]:
        return {"type": "string", "format": "binary"}
