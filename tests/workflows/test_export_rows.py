"""Rows of frames that are read when somebody looks at them, and sizes without reading."""

from pathlib import Path
from typing import Any, cast

import pytest

from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.shards import Shard
from paintpipe.stages.export.target import size_of
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_rows import ReadBack, ShardRows


class Row:
    """A row that knows its frame alone."""

    def __init__(self, index: int) -> None:
        self.index = index


class Counted:
    """A catalog that counts how often it is read."""

    reads = 0

    def boxes(self, *_span: Any) -> list[Row]:
        """Two boxes of frame 4, one of frame 6."""
        self.reads += 1
        return [Row(4), Row(4), Row(6)]


def test_boxes_are_read_once_and_only_if_looked_at() -> None:
    catalog = Counted()
    rows = ShardRows(cast("Catalog", catalog), Shard("00", 1, 4, 8))
    four, five, six = (rows.boxes(index) for index in (4, 5, 6))
    assert catalog.reads == 0
    assert [row.index for row in four] == [4, 4]
    assert (len(five), six[0].index, len(four[:1])) == (0, 6, 1)
    assert catalog.reads == 1


def test_a_size_is_told_without_reading_and_an_absent_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"12345")
    read = ReadBack(LocalFolder(tmp_path))
    assert (size_of(read, "a.bin"), read("a.bin")) == (5, b"12345")
    assert size_of(lambda path: b"123", "anything") == 3
    with pytest.raises(FileNotFoundError, match=r"gone\.bin"):
        size_of(read, "gone.bin")
