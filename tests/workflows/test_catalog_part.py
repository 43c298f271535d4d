"""A part of a catalog answers for its frames as the whole does, and travels light."""

import pickle

import pytest
from support.catalog import make_info, make_tables

from paintpipe.workflows.catalog import Catalog, catalog_of


def whole(**frames: int) -> Catalog:
    return catalog_of(make_info(), make_tables(**frames))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return whole(a=7, b=40, c=3)


@pytest.mark.parametrize(("sequence", "start", "stop"), [("b", 0, 16), ("b", 16, 40), ("a", 6, 7), ("c", 0, 3)])
@pytest.mark.parametrize("travelled", [False, True])
def test_a_part_answers_as_the_whole(catalog: Catalog, sequence: str, start: int, stop: int, travelled: bool) -> None:
    part = catalog.part(sequence, max(0, start - 16), stop)
    part = pickle.loads(pickle.dumps(part)) if travelled else part
    for table in ("frames", "images", "boxes"):
        rows = catalog.raw_rows(table, sequence, start, stop)
        assert part.raw_rows(table, sequence, start, stop) == rows
        assert part.column(table, sequence, "frame_id", start, stop) == [row["frame_id"] for row in rows]
    assert [row.index for row in part.frames(sequence, start, stop)] == list(range(start, stop))
    assert len(part.images(sequence, start, stop)) == 2 * (stop - start)
    assert part.rows_digest(sequence, start, stop) == catalog.rows_digest(sequence, start, stop)
    assert part.info == catalog.info


def test_a_part_holds_no_row_of_other_frames(catalog: Catalog) -> None:
    part = catalog.part("b", 4, 6)
    assert part.sequences == ["b"]
    assert [row.index for row in part.frames("b", 0, 40)] == [4, 5]
    assert part.images("a", 0, 7) == []
    assert part.images("b", 20, 30) == []


def test_a_part_of_a_part(catalog: Catalog) -> None:
    part = catalog.part("b", 0, 32).part("b", 16, 32)
    assert part.rows_digest("b", 16, 32) == catalog.rows_digest("b", 16, 32)


def test_a_part_tells_a_sequence_without_boxes_from_frames_without() -> None:
    tables = make_tables(a=3)
    tables["boxes"] = tables["boxes"].slice(0, 0)
    assert not catalog_of(make_info(), tables).part("a", 0, 1).has_boxes("a")
    labelled = whole(a=7)
    assert labelled.part("a", 1, 3).boxes("a", 1, 3) == []
    assert labelled.part("a", 1, 3).has_boxes("a")


def test_a_pickled_part_is_as_small_as_its_rows() -> None:
    """pyarrow pickles a slice with all of its parent's buffers: 2,000 frames would weigh what 20,000 do."""
    few, many = whole(a=200), whole(a=2_000)
    sizes = [len(pickle.dumps(catalog.part("a", 16, 32))) for catalog in (few, many)]
    assert sizes[1] < 1.05 * sizes[0]
    assert sizes[1] < 20_000
