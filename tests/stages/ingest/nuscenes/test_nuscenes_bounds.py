"""Tables without end, or of a million records that can't be used: one clear line, in bounded memory and time."""

import json
import time
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest
from support.nuscenes_tables import find, open_small, reasons, write_dataset, write_tables

from paintpipe.schemas.errors import InputFileError
from paintpipe.stages.ingest.nuscenes import tables as tables_module
from paintpipe.stages.ingest.nuscenes.records import Named
from paintpipe.stages.ingest.nuscenes.tables import MAX_REJECTED, Tables


class Endless(BytesIO):
    """A table that begins as given and goes on with the same bytes, up to a terabyte."""

    def __init__(self, start: bytes, again: bytes) -> None:
        super().__init__(start)
        self.again, self.given = again, 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "nobody may ask for all of it"
        data = super().read(size)
        data += (self.again * (1 + size // len(self.again)))[: size - len(data)]
        self.given += len(data)
        return data


class OneTable:
    """A root whose every file is this one."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def open_bytes(self, path: str) -> BinaryIO:
        return self.stream

    def size(self, path: str) -> int | None:
        return 1

    def list_dir(self, path: str) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b'[{"token": "', b"x"),
        (b"[", b" "),
        (b"[", b"["),
        (b"[", b"9"),
        (b'[{"token": "a", "other": [', b"1,"),
        (b'[{"token": "a", "name": "b"}, {"tok', b'{"token": "a", "name": "b"},\n'),
        (b"", b'{"a": {"a": '),
    ],
)
def test_a_table_without_end_is_given_up_soon(start: bytes, again: bytes) -> None:
    stream = Endless(start, again)
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    with pytest.raises(InputFileError, match=r"v/t\.json: damaged table: "):
        for _ in Tables(OneTable(stream), "v", []).stream("t", Named):
            pass
    assert stream.given < 5 * tables_module.MAX_PIECE_BYTES
    assert time.monotonic() - began < 5
    assert psutil.Process().memory_info().rss - before < 1_000_000_000


def test_of_a_million_unusable_records_the_first_have_a_row() -> None:
    records = [{"token": f"t{number}"} for number in range(MAX_REJECTED + 500)]
    tables = Tables(OneTable(BytesIO(json.dumps([*records, {"token": "a", "name": "b"}]).encode())), "v", [])
    assert [record.token for record in tables.read("t", Named)] == ["a"]
    assert len(tables.rejected) == MAX_REJECTED + 1
    assert (
        tables.rejected[-1].reason
        == "more than 10,000 records can't be used: those that follow have no row of their own"
    )
    assert tables.counts["t"] == MAX_REJECTED + 500


@pytest.mark.parametrize(
    ("table", "token", "field", "value"),
    [
        ("calibrated_sensor", "scene-0061-CAM_FRONT", "translation", [1e300, 0.0, 0.0]),
        ("calibrated_sensor", "scene-0061-CAM_FRONT", "camera_intrinsic", [[1e200, 0, 1], [0, 1, 1], [0, 0, 1]]),
        ("ego_pose", "pose-scene-0061-LIDAR_TOP-10", "translation", [0.0, -1e13, 0.0]),
        ("sample_annotation", "scene-0061-car-1", "size", [1e308, 1.0, 1.0]),
    ],
)
def test_numbers_whose_products_are_infinite_cost_their_record(
    tmp_path: Path, table: str, token: str, field: str, value: object
) -> None:
    tables = write_dataset(tmp_path)
    find(tables, table, token)[field] = value
    write_tables(tmp_path, tables)
    reader = open_small(tmp_path)
    assert len(reader.read("scene-0103", None).frames) == 3
    reader.read("scene-0061", None)
    assert f"{table} {token}: Expected `float`" in reasons(reader.rejected)
