"""Several pictures as the files of a form: multipart/form-data, as browsers and ``curl -F`` send it."""

from __future__ import annotations

import io
from typing import Any

from nervura.bodies.base import Body, Given
from nervura.serving_fields import BadRequest, Fields


class PicturesBody(Body):
    name = "pictures"
    summary = "pictures: the files of a form, one answer each, in their order"
    media = ("multipart/form-data",)
    of_pictures = True

    def read(self, content: bytes, content_type: str, fields: Fields, most_rows: int) -> Given:
        from python_multipart import parse_form
        from python_multipart.exceptions import FormParserError

        found: list[bytes] = []

        def keep(file: Any) -> None:
            file.file_object.seek(0)
            found.append(file.file_object.read())
            file.close()

        try:
            headers = {"Content-Type": content_type.encode("latin-1")}
            parse_form(headers, io.BytesIO(content), lambda field: None, keep)
        except (FormParserError, ValueError) as error:
            raise BadRequest(400, fields.say("no_form", reason=str(error))) from None
        fields.check_count(len(found), most_rows)
        return Given({name: found for name in fields.names})

    def schema(self, fields: Fields) -> dict[str, Any]:
        files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
        return {"type": "object", "required": ["pictures"], "properties": {"pictures": files}}
