"""Tables are decoded piece by piece; any cut must give what the whole gives."""

import json
from io import BytesIO
from typing import BinaryIO

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.schemas.errors import InputFileError
from paintpipe.stages.ingest.nuscenes.columns import TEXT, Columns
from paintpipe.stages.ingest.nuscenes.records import Named, Record
from paintpipe.stages.ingest.nuscenes.tables import Tables


class Nested(Record, frozen=True):
    inner: tuple[dict[str, str], ...] = ()


class OneTable:
    """A root that holds `v/t.json` and counts how much of it was read at once."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open_bytes(self, path: str) -> BinaryIO:
        if path != "v/t.json":
            raise FileNotFoundError(path)
        return BytesIO(self.content)

    def size(self, path: str) -> int | None:
        return len(self.content) if path == "v/t.json" else None

    def list_dir(self, path: str) -> list[str]:
        return []


def tables(content: bytes | str, chunk_bytes: int = 1 << 20) -> Tables:
    return Tables(OneTable(content.encode() if isinstance(content, str) else content), "v", [], chunk_bytes)


NASTY = st.text(alphabet='{}[],":\\ \n\tab€', max_size=12)
RECORDS = st.lists(st.fixed_dictionaries({"token": NASTY, "name": NASTY, "other": NASTY}), max_size=12)


@settings(max_examples=150, deadline=None)
@given(RECORDS, st.integers(1, 60), st.sampled_from([None, 0, 2]), st.booleans())
def test_any_chunk_size_gives_every_record_once(records, chunk_bytes: int, indent, ascii_only: bool) -> None:
    opened = tables(json.dumps(records, indent=indent, ensure_ascii=ascii_only), chunk_bytes)
    found = [item for piece in opened.stream("t", Named) for item in piece]
    assert [(item.token, item.name) for item in found] == [(item["token"], item["name"]) for item in records]
    assert opened.rejected == []


@pytest.mark.parametrize("chunk_bytes", [3, 17, 64, 1000])
def test_records_inside_records_are_not_cut(chunk_bytes: int) -> None:
    records = [{"token": str(number), "inner": [{"a": "b"}, {"c": "}, {"}]} for number in range(20)]
    assert [list(item.inner) for item in tables(json.dumps(records), chunk_bytes).read("t", Nested)] == [
        item["inner"] for item in records
    ]


def test_a_large_table_comes_in_small_pieces() -> None:
    records = [{"token": str(number), "name": "x" * 50} for number in range(2000)]
    pieces = list(tables(json.dumps(records, indent=0), 4096).stream("t", Named))
    assert sum(map(len, pieces)) == 2000
    assert max(map(len, pieces)) < 150


@pytest.mark.parametrize("chunk_bytes", [20, 10_000])
@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ({"token": "t1"}, "t t1: Object missing required field `name`"),
        ({"token": "t2", "name": 5}, "t t2: Expected `str`, got `int` - at `$.name`"),
        ({"name": "no token"}, "t ?: Object missing required field `token`"),
        ({"token": 7, "name": "x"}, "t ?: Expected `str`, got `int` - at `$.token`"),
        ("text", "t ?: Expected `object`, got `str`"),
    ],
)
def test_a_record_of_another_shape_is_rejected_by_name(bad, expected: str, chunk_bytes: int) -> None:
    records = [{"token": "good", "name": "a"}, bad, {"token": "better", "name": "b"}]
    opened = tables(json.dumps(records), chunk_bytes)
    assert [item.token for item in opened.read("t", Named)] == ["good", "better"]
    assert [(row.path, row.stage, row.reason) for row in opened.rejected] == [("v/t.json", "ingest", expected)]


@pytest.mark.parametrize("chunk_bytes", [16, 10_000])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "   ",
        "{}",
        '"text"',
        "null",
        '[{"token": "a", "name": "b"}, {"token": "c", "na',
        '[{"token": "a", "name": "b"} {"token": "c", "name": "d"}]',
        '[{"token": "a", "name": "b"}, {"token": "c", "name": "d"}',
        '[{"token": "a", "name": NaN}]',
        '[{"token": "a", "name": "b"}]]',
        b'[{"token": "a", "name": "\xff\xfe"}]',
        b"\x00" * 200,
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'[{"token": "a", "name": "b", "other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    ],
)
def test_a_damaged_table_is_one_clear_line(content, chunk_bytes: int) -> None:
    with pytest.raises(InputFileError, match=r"^v/t\.json: damaged table: .*; expected a JSON array of records$"):
        tables(content, chunk_bytes).read("t", Named)


def test_the_first_of_each_token_counts() -> None:
    records = [{"token": token, "name": str(number)} for number, token in enumerate("abacaa")]
    opened = tables(json.dumps(records))
    assert [(item.token, item.name) for item in opened.read("t", Named)] == [("a", "0"), ("b", "1"), ("c", "3")]
    assert [row.reason for row in opened.rejected] == ["t a: comes twice"] * 3


@given(st.lists(st.sampled_from(["", "a", "b", "€", "abc"]), max_size=40), st.integers(1, 9))
def test_repeated_keys_are_found_across_pieces(texts: list[str], piece: int) -> None:
    columns = Columns({"text": TEXT}, key="text")
    for low in range(0, len(texts), piece):
        columns.extend({"text": texts[low : low + piece]})
        columns.repeated()  # ends a piece
    expected = [text in texts[:row] for row, text in enumerate(texts)]
    again = columns.repeated()
    assert again.tolist() == expected
    assert columns.keys(again) == [text for row, text in enumerate(texts) if expected[row]]
    assert columns.keys(~again) == list(dict.fromkeys(texts))


def test_an_absent_table(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = tables("[]")
    with pytest.raises(InputFileError, match=r"^v/gone\.json: the table is absent; download"):
        opened.read("gone", Named)
    assert (opened.has("t"), opened.has("gone")) == (True, False)
    assert opened.read_optional("gone", Named) == []
    assert [row.path for row in opened.rejected] == ["v/gone.json"]


def test_an_empty_table() -> None:
    assert tables(" [ ]\n").read("t", Named) == []


def test_decoding_is_strict_about_floats_that_overflow() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"1e999", type=float)
