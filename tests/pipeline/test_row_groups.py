"""Tables read by row group: the rows of the whole, few of them in memory, damage told in a line."""

import pickle
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from paintpipe.pipeline import row_writer
from paintpipe.pipeline.row_groups import HeldRows, RowGroups, Rows
from paintpipe.pipeline.row_writer import RowWriter
from paintpipe.schemas.errors import StoreError

SCHEMA = pa.schema([("number", pa.int64()), ("name", pa.string()), ("matrix", pa.list_(pa.float64()))])
ROWS = 50


def table(count: int = ROWS) -> pa.Table:
    numbers = list(range(count))
    columns = [numbers, [f"row {number % 7}" for number in numbers], [[0.5 * number] * 3 for number in numbers]]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=SCHEMA)


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_writer, "ROWS_PER_GROUP", 8)


def written(path: Path, *pieces: pa.Table) -> Path:
    with RowWriter(path, SCHEMA) as writer:
        for piece in pieces:
            writer.add(piece)
    return path


@pytest.fixture
def path(tmp_path: Path, small_groups: None) -> Path:
    return written(tmp_path / "t.parquet", table())


@pytest.fixture(params=["groups", "held", "travelled"])
def rows(request: pytest.FixtureRequest, path: Path) -> Rows:
    if request.param == "groups":
        return RowGroups(path, held=2)
    held: Rows = HeldRows(pa.concat_tables([table().slice(0, 20), table().slice(20)]))
    return pickle.loads(pickle.dumps(held)) if request.param == "travelled" else held


@pytest.mark.parametrize(("start", "stop"), [(0, 50), (0, 0), (50, 50), (7, 9), (8, 16), (15, 49), (49, 50)])
def test_any_slice_is_that_of_the_whole(rows: Rows, start: int, stop: int) -> None:
    assert rows.num_rows == ROWS
    assert rows.slice(start, stop).to_pylist() == table().slice(start, stop - start).to_pylist()
    assert (
        rows.slice(start, stop, ["name"]).to_pydict() == table().slice(start, stop - start).select(["name"]).to_pydict()
    )


def test_a_scan_gives_every_row_once(rows: Rows) -> None:
    assert pa.concat_tables(rows.scan()).to_pylist() == table().to_pylist()
    assert pa.concat_tables(rows.scan(["number"])).to_pydict() == {"number": list(range(ROWS))}


def test_bytes_do_not_depend_on_how_rows_came(path: Path, tmp_path: Path) -> None:
    pieces = [table().slice(start, 3) for start in range(0, ROWS, 3)]
    assert written(tmp_path / "again.parquet", *pieces).read_bytes() == path.read_bytes()
    assert pq.ParquetFile(path).metadata.num_row_groups == 7


def test_only_the_row_groups_that_hold_the_rows_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    inner = RowGroups.read_group

    def counted(self: RowGroups, group: int, columns: list[str] | None = None) -> pa.Table:
        read.append(group)
        return inner(self, group, columns)

    monkeypatch.setattr(RowGroups, "read_group", counted)
    rows = RowGroups(path, held=2)
    assert read == []
    rows.slice(9, 12)
    rows.slice(10, 16)
    rows.slice(15, 17)
    assert read == [1, 2], "a row group that was just decoded is not read again"
    rows.slice(40, 41)
    rows.slice(17, 18)
    rows.slice(9, 10)
    assert read == [1, 2, 5, 1], "of three, the one used longest ago was dropped"


def test_many_threads_read_the_same_rows(path: Path) -> None:
    rows, wrong = RowGroups(path, held=2), []

    def look(number: int) -> None:
        for start in range(number, ROWS - 5, 3):
            found = rows.slice(start, start + 5, ["number"]).to_pydict()["number"]
            wrong.extend([found] if found != list(range(start, start + 5)) else [])

    threads = [threading.Thread(target=look, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_file_that_is_replaced_goes_on_being_read_as_it_was(path: Path, tmp_path: Path) -> None:
    rows = RowGroups(path)
    written(tmp_path / "new.parquet", table(3)).replace(path)
    assert rows.slice(48, 50, ["number"]).to_pydict() == {"number": [48, 49]}


def test_a_flipped_bit_of_a_page_is_told_when_it_is_read_and_not_before(path: Path) -> None:
    content = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(3).column(2)
    content[chunk.data_page_offset + chunk.total_compressed_size - 4] ^= 1
    path.write_bytes(content)
    rows = RowGroups(path)
    assert rows.slice(0, 24, ["number"]).num_rows == 24
    with pytest.raises(StoreError, match=r"t\.parquet: can't be read \(.*CRC.*\); expected a Parquet table"):
        rows.slice(24, 25)


@pytest.mark.parametrize("keep", [0, 3, 100, -1])
def test_a_cut_file_is_told_when_it_is_opened(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StoreError, match=r"t\.parquet: can't be read"):
        RowGroups(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RowGroups(tmp_path / "none.parquet")


def test_nothing_written_is_an_empty_table(tmp_path: Path) -> None:
    rows = RowGroups(written(tmp_path / "t.parquet"))
    assert (rows.num_rows, rows.schema, list(rows.scan())) == (0, SCHEMA, [])
    assert rows.slice(0, 0).num_rows == 0


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no space left"), RowWriter(Path("/dev/full"), SCHEMA) as writer:
        writer.add(table(20_000))


def test_a_failure_while_rows_are_added_goes_through(tmp_path: Path) -> None:
    def interrupted() -> None:
        with RowWriter(tmp_path / "t.parquet", SCHEMA) as writer:
            writer.add(table())
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
