"""Parquet: a table with typed columns."""

from __future__ import annotations

import io
from typing import Any

from nervura.bodies.base import Body, Given
from nervura.serving_fields import BadRequest, Fields

UNFOLDED = 2**28
"""A table has at most so many bytes once it is unpacked."""


class ParquetBody(Body):
    name = "parquet"
    summary = "Parquet: a table with typed columns (with the extra serve-parquet)"
    media = ("application/vnd.apache.parquet", "application/x-parquet")
    requires = [("pyarrow", "serve-parquet")]

    def read(self, content: bytes, content_type: str, fields: Fields, most_rows: int) -> Given:
        import pyarrow
        import pyarrow.parquet

        try:
            file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
            told = file.metadata
            fields.check_names([(file.schema_arrow.names, None)])
            fields.check_count(told.num_rows, most_rows)
            size = sum(told.row_group(group).total_byte_size for group in range(told.num_row_groups))
            if size > UNFOLDED:
                raise BadRequest(413, fields.say("unfolds", most=UNFOLDED // 2**20))
            table = file.read(columns=sorted(fields.names))
            columns = {name: table.column(name).to_pylist() for name in fields.names}
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            raise BadRequest(400, fields.say("no_parquet", reason=str(error).split("\n")[0])) from None
        return Given(columns)

    def schema(self, fields: Fields) -> dict[str, Any]:
        return {"type": "string", "format": "binary"}
