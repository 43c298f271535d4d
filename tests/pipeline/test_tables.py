import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.pipeline.tables import (
    read_json,
    read_parquet,
    to_markdown,
    write_csv,
    write_json,
    write_parquet,
    write_text,
)
from paintpipe.schemas.errors import StoreError

TABLE = pa.table(
    {
        "class": ["car", "a|b", "=1+1", None],
        "iou": [0.12345, -1.0, None, float("nan")],
        "count": pa.array([1, -2, None, 4], pa.int64()),
        "cameras": [["x"], [], None, ["y", "z"]],
    }
)


def test_parquet_and_its_metadata(tmp_path: Path) -> None:
    path = tmp_path / "new" / "t.parquet"
    described = TABLE.replace_schema_metadata({"paintpipe.format": "1"})
    write_parquet(path, described, {"rule": "nuscenes"})
    found = read_parquet(path)
    assert found.to_pylist()[:3] == TABLE.to_pylist()[:3]
    assert found.schema.metadata == {b"paintpipe.format": b"1", b"rule": b"nuscenes"}
    assert read_parquet(path, ["iou"]).column_names == ["iou"]
    again = path.read_bytes()
    write_parquet(path, described, {"rule": "nuscenes"})
    assert path.read_bytes() == again


def test_what_can_not_be_read_is_a_clear_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "none.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(StoreError, match=r"bad\.parquet"):
        read_parquet(tmp_path / "bad.parquet")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(StoreError, match=r"bad\.json"):
        read_json(tmp_path / "bad.json")


def test_csv_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", TABLE)
    assert (tmp_path / "t.csv").read_bytes().decode().replace("\r\n", "\n") == (
        'class,iou,count,cameras\ncar,0.12345,1,"[""x""]"\na|b,-1.0,-2,[]\n\'=1+1,,,\n,nan,4,"[""y"", ""z""]"\n'
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_cells_and_headers_that_look_like_formulas(tmp_path: Path, start: str) -> None:
    write_csv(tmp_path / "t.csv", pa.table({start + "head": [start + "cmd", "plain", "a" + start]}))
    with (tmp_path / "t.csv").open(newline="") as handle:
        assert list(csv.reader(handle)) == [["'" + start + "head"], ["'" + start + "cmd"], ["plain"], ["a" + start]]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_a_csv_reader_gets_the_strings_back(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv(path, pa.table({"a": cells, "b": cells}))
    with path.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.reader(handle))[1:]
    expected = ["'" + cell if cell[:1] in tuple("=+-@\t\r\n＝＋－＠") else cell for cell in cells]
    assert [row[0] if row else "" for row in rows] == expected


def test_markdown() -> None:
    assert to_markdown(TABLE.select(["class", "iou", "count"])) == (
        "| class | iou | count |\n"
        "| --- | ---: | ---: |\n"
        "| car | 0.123 | 1 |\n"
        "| a\\|b | -1.000 | -2 |\n"
        "| =1+1 | – | – |\n"
        "| – | nan | 4 |\n"
    )
    assert to_markdown(pa.table({"a|b": ["x\ny\\"]})) == "| a\\|b |\n| --- |\n| x y\\\\ |\n"


def test_json_and_text(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": ["µ", None]})
    write_json(tmp_path / "b.json", {"a": ["µ", None], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"a": ["µ", None], "b": 1}
    write_text(tmp_path / "t.md", "µ\n")
    assert (tmp_path / "t.md").read_text(encoding="utf-8") == "µ\n"
