"""A catalog on disk: the same rows however they are read, little of it in memory, damage told when it is met."""

import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.catalog import CAMERAS, make_info, make_tables, write_catalog

from paintpipe.pipeline import row_writer
from paintpipe.pipeline.row_groups import HeldRows, RowGroups
from paintpipe.pipeline.shards import ShardCost, plan_shards
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.workflows.catalog import Catalog, catalog_of, open_catalog
from paintpipe.workflows.catalog_files import tables_digest
from paintpipe.workflows.paint_tasks import balanced

FRAMES = {"a": 7, "b": 40, "c": 3}


@pytest.fixture(params=["many groups", "one group"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog; issue 2 wrote every table as one row group."""
    if request.param == "many groups":
        monkeypatch.setattr(row_writer, "ROWS_PER_GROUP", 8)
    write_catalog(tmp_path / "catalog", **FRAMES)
    return tmp_path / "catalog"


@pytest.fixture
def small_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(row_writer, "ROWS_PER_GROUP", 8)
    write_catalog(tmp_path / "catalog", **FRAMES)
    return tmp_path / "catalog"


def by_hand(table: str, sequence: str, start: int, stop: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = make_tables(**FRAMES)[table].to_pylist()
    return [row for row in rows if row["sequence"] == sequence and start <= int(str(row["index"])) < stop]


@pytest.mark.parametrize(
    ("sequence", "start", "stop"),
    [("a", 0, 7), ("b", 0, 16), ("b", 15, 16), ("b", 32, 99), ("c", 1, 1), ("c", 2, 1), ("nothing", 0, 9)],
)
def test_rows_are_those_found_by_hand(folder: Path, sequence: str, start: int, stop: int) -> None:
    catalog = open_catalog(folder)
    for table in ("frames", "images", "boxes"):
        rows = by_hand(table, sequence, start, stop)
        assert catalog.raw_rows(table, sequence, start, stop) == rows
        assert catalog.column(table, sequence, "index", start, stop) == [row["index"] for row in rows]
    every = by_hand("frames", sequence, 0, 99)
    assert catalog.column("frames", sequence, "frame_id") == [row["frame_id"] for row in every]


def test_a_catalog_on_disk_says_what_its_tables_say(folder: Path) -> None:
    catalog, held = open_catalog(folder), catalog_of(make_info(), make_tables(**FRAMES))
    assert catalog.sequences == list(FRAMES)
    assert catalog.frame_counts() == FRAMES
    assert catalog.camera_names() == CAMERAS
    assert catalog.rows_digest("b", 3, 30) == held.rows_digest("b", 3, 30)
    assert pickle.loads(pickle.dumps(catalog)).rows_digest("b", 3, 30) == held.rows_digest("b", 3, 30)
    assert (catalog.has_boxes("a"), catalog.has_boxes("nothing")) == (True, False)


def test_costs_of_shards_by_hand(folder: Path) -> None:
    catalog = open_catalog(folder)
    shards = plan_shards(catalog.frame_counts(), 16)
    costs = list(catalog.shard_costs(shards))
    # Frame i has 100 + i points and an image of each of two cameras.
    assert costs[0] == ShardCost(7, 14, 7 * 100 + 21)
    assert costs[1] == ShardCost(16, 32, 16 * 100 + 120)
    assert costs[3] == ShardCost(8, 16, 8 * 100 + sum(range(32, 40)))
    assert sum(cost.points for cost in costs) == catalog.info.counts["points"]


def test_the_end_of_a_run_begins_with_its_costliest_shards(folder: Path) -> None:
    catalog = open_catalog(folder)
    waiting = dict.fromkeys(plan_shards(catalog.frame_counts(), 16), ("points",))
    assert [len(shard) for shard in waiting] == [7, 16, 16, 8, 3]
    ordered = balanced(waiting, catalog, at_once=2)
    assert ordered == waiting, "the same shards and targets"
    # The second shard of b has as many images as the first and more points.
    assert [(shard.sequence, shard.index) for shard in ordered] == [("a", 0), ("b", 1), ("b", 0), ("b", 2), ("c", 0)]
    assert list(balanced(waiting, catalog, at_once=1)) == list(waiting), "alone, a worker keeps the catalog's order"
    assert list(balanced({}, catalog, at_once=8)) == []


def test_opening_reads_the_frames_order_and_no_image(small_groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, object]] = []
    inner = RowGroups.read_group

    def counted(self: RowGroups, group: int, columns: list[str] | None = None) -> pa.Table:
        read.append((self.path.stem, columns and tuple(columns)))
        return inner(self, group, columns)

    monkeypatch.setattr(RowGroups, "read_group", counted)
    catalog = open_catalog(small_groups)
    assert set(read) == {("frames", ("sequence", "index"))}
    read.clear()
    assert catalog.images("b", 0, 4)
    # 40 frames of b have 80 images in row groups of 8; the order of all is read once, then one or two row groups.
    assert read.count(("images", ("sequence", "index"))) == 13
    assert read.count(("images", None)) <= 2


def test_a_damaged_row_group_is_one_clear_line_when_it_is_read(small_groups: Path) -> None:
    path = small_groups / "images.parquet"
    content = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(5).column(5)
    content[chunk.data_page_offset + chunk.total_compressed_size - 4] ^= 1
    path.write_bytes(content)
    catalog = open_catalog(small_groups)
    assert len(catalog.images("a", 0, 7)) == 14
    told = r"images\.parquet: the catalog is damaged \(can't be read \(.*CRC.*\)\); run `paintpipe ingest` again"
    for reading in (lambda: catalog.images("b", 10, 20), lambda: catalog.part("b", 10, 20), catalog.check):
        with pytest.raises(WorkspaceError, match=told):
            reading()


@pytest.mark.parametrize("table", ["frames", "images", "boxes"])
@pytest.mark.parametrize("order", [[1, 0], [0, 2, 1]])
def test_rows_out_of_order_are_told(table: str, order: list[int]) -> None:
    tables = make_tables(**FRAMES)
    cut = [tables[table].slice(0, 10), tables[table].slice(10, 4), tables[table].slice(14)]
    tables[table] = pa.concat_tables([cut[number] for number in [*order, 2][:3]])

    def read() -> Catalog:
        catalog = catalog_of(make_info(), tables)
        catalog.check()
        return catalog

    with pytest.raises(WorkspaceError, match=f"{table} of sequence .: the catalog is damaged"):
        read()


def test_rows_of_a_frame_that_is_not_there_are_told() -> None:
    tables = make_tables(**FRAMES)
    tables["frames"] = tables["frames"].slice(0, 49)
    with pytest.raises(WorkspaceError, match="images of sequence c: the catalog is damaged"):
        catalog_of(make_info(), tables).images("c", 0, 2)


def test_the_digest_of_empty_tables_and_of_every_value(small_groups: Path) -> None:
    tables = make_tables(**FRAMES)
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    assert tables_digest({name: HeldRows(table) for name, table in empty.items()})
    catalog = open_catalog(small_groups)
    before = tables_digest(catalog.tables)
    for name in tables:
        changed = {**catalog.tables, name: HeldRows(tables[name].slice(0, tables[name].num_rows - 1))}
        assert tables_digest(changed) != before


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4), st.integers(0, 3), st.integers(-1, 12), st.integers(-1, 14)
)
def test_places_of_any_catalog(counts: list[int], which: int, start: int, stop: int) -> None:
    frames = {f"s{number}": count for number, count in enumerate(counts)}
    catalog, name = catalog_of(make_info(), make_tables(**frames)), f"s{which % len(counts)}"
    for table in ("frames", "images", "boxes"):
        rows = make_tables(**frames)[table].to_pylist()
        wanted = [row for row in rows if row["sequence"] == name and start <= row["index"] < stop]
        assert catalog.raw_rows(table, name, start, stop) == wanted
