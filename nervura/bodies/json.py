"""JSON: one row as an object of column and value, or a list of such rows."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from nervura.bodies.base import Body, Given
from nervura.serving_fields import BadRequest, Fields


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON; a missing value is null")


DECODER = json.JSONDecoder(parse_constant=_no_number)


class JsonBody(Body):
    name = "json"
    summary = "JSON: an object of column and value, or a list of such objects"
    media = ("application/json",)

    def read(self, content: bytes, content_type: str, fields: Fields, most_rows: int) -> Given:
        try:
            found = DECODER.decode(content.decode())
            if b"\\u" in content:
                # Half of a pair of surrogates is no character, though JSON can write it.
                json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise BadRequest(400, fields.say("no_json", reason=reason)) from None
        rows = [found] if isinstance(found, dict) else found
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadRequest(422, fields.say("no_rows_in_json"))
        fields.check_count(len(rows), most_rows)
        whole = fields.names
        fields.check_names((row.keys(), number) for number, row in enumerate(rows) if row.keys() != whole)
        return Given({name: [row[name] for row in rows] for name in whole})

    def example(self, fields: Fields) -> Any:
        return [fields.example()]

    def schema(self, fields: Fields) -> dict[str, Any]:
        row = {"$ref": "#/components/schemas/Row"}
        return {"anyOf": [row, {"type": "array", "items": row, "minItems": 1}]}
