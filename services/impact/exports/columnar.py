"""Tables as Parquet: a cube at once, facts batch by batch."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from services.impact.exports.rules import Column, Cube, columns, table

COMPRESSION: Final = "zstd"
ROWS_OF_A_GROUP: Final = 20_000
AMOUNT: Final = pa.decimal128(38, 9)
KINDS: Final = {
    "text": pa.string(),
    "codes": pa.list_(pa.string()),
    "whole": pa.int64(),
    "number": pa.float64(),
    "amount": AMOUNT,
    "exact": pa.decimal128(18, 2),
    "day": pa.date32(),
    "id": pa.string(),
}


def written(cube: Cube) -> bytes:
    """The table of a cube, with its definitions in the schema."""
    told = columns(cube)
    about = {"title": cube.title, **({"as_of": cube.as_of} if cube.as_of else {}), **cube.notes}
    schema = schema_of(told, about)
    cells = list(zip(*table(cube), strict=True)) or [()] * len(told)
    arrays = [_array(column, each) for column, each in zip(told, cells, strict=True)]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, compression=COMPRESSION)
    return sink.getvalue()


def schema_of(told: Iterable[Column], about: Mapping[str, str]) -> Any:
    """The schema of a table; each column says its title, unit and definition."""
    return pa.schema(
        [
            pa.field(
                column.name,
                KINDS[column.kind],
                metadata={"title": column.title, "unit": column.unit, "definition": column.definition},
            )
            for column in told
        ],
        metadata=dict(about),
    )


def _array(column: Column, cells: Sequence[Any]) -> Any:
    if column.kind == "codes":
        cells = [str(cell or "").split() for cell in cells]
    elif column.kind == "number":
        cells = [None if cell is None else float(cell) for cell in cells]
    elif column.kind == "amount":
        cells = [None if cell is None else Decimal(cell) for cell in cells]
    return pa.array(cells, type=KINDS[column.kind])


class Batches:
    """Writes a file batch by batch; each answers the bytes that have come to be written.

    A batch waits for others, so that few are read at once and yet a group of rows has many: what stands of each group
    at the end of a file is kept until then.
    """

    def __init__(self, told: Sequence[Column], about: Mapping[str, str]) -> None:
        self._columns = told
        self._schema = schema_of(told, about)
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), self._schema, compression=COMPRESSION)
        self._waiting: list[Any] = []

    def add(self, records: Sequence[Sequence[Any]]) -> bytes:
        """Write some rows."""
        cells = zip(*records, strict=True)
        arrays = [
            pa.array([str(cell) for cell in each] if column.kind == "id" else each, type=KINDS[column.kind])
            for column, each in zip(self._columns, cells, strict=True)
        ]
        self._waiting.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._waiting) >= ROWS_OF_A_GROUP:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        """Write what stands at the end of the file."""
        if self._waiting:
            self._write()
        self._writer.close()
        return self._sink.taken()

    def _write(self) -> None:
        group = pa.Table.from_batches(self._waiting, schema=self._schema)
        self._writer.write_table(group, row_group_size=group.num_rows)
        self._waiting.clear()


class _Sink(io.RawIOBase):
    """A file that forgets what was taken out of it."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._written += piece
        self._length += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        found = bytes(self._written)
        self._written.clear()
        return found
