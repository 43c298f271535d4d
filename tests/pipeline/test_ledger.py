import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.pipeline import progress
from paintpipe.pipeline.changes import digest_of, explain_change
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.ledger import FileSum, Ledger, Mark, decode_mark, encode_mark
from paintpipe.pipeline.shards import Shard
from paintpipe.schemas.errors import ChangedInputError

SHARD = Shard("00", 3, 6, 8)
INPUTS: dict[str, Any] = {
    "paint_format": 1,
    "weights": "a" * 64,
    "settings": {"projection": "default", "tta": [1.0, 0.5]},
    "sizes": {"velodyne/000006.bin": 16, "image_2/000006.png": 70},
}


def make_mark(**overrides: Any) -> Mark:
    fields: dict[str, Any] = {
        "target": "layers/net",
        "shard": SHARD,
        "inputs": INPUTS,
        "files": {"00/layers/net/label/c/3/0": FileSum("b" * 64, 10)},
        "rows": (5, 0),
        "rejects": {7: "image_2/000007.png: cut short"},
        "input_sha256s": {"velodyne/000006.bin": "c" * 64},
    }
    return Mark(**{**fields, **overrides})


def test_a_mark_is_read_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.done("layers/net", SHARD) is None
    ledger.record(make_mark())
    assert ledger.done("layers/net", SHARD) == make_mark()
    assert (tmp_path / "layers" / "net" / "00" / "00003.json").is_file()
    assert ledger.done("points", SHARD) is None
    assert (ledger.targets(), list(ledger.mark_paths("layers/net"))) == (
        ["layers/net"],
        [ledger.path("layers/net", SHARD)],
    )
    ledger.forget("layers/net", SHARD)
    assert ledger.done("layers/net", SHARD) is None


def test_bytes_of_a_mark_depend_on_nothing_else() -> None:
    shuffled = dict(reversed(INPUTS.items()))
    assert encode_mark(make_mark(inputs=shuffled)) == encode_mark(make_mark())
    content = json.loads(encode_mark(make_mark()))
    assert content["digest"] == digest_of(INPUTS)
    assert set(content) == {
        "checksum", "digest", "files", "format", "input_sha256s", "inputs", "rejects", "rows", "shard", "target",
    }  # fmt: skip


def test_torn_and_flipped_marks_are_not_done(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(make_mark())
    path = tmp_path / ledger.path("layers/net", SHARD)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])
        assert ledger.done("layers/net", SHARD) is None
    for index in range(0, len(whole) - 1, 5):
        flipped = bytearray(whole)
        flipped[index] ^= 1
        path.write_bytes(flipped)
        found = ledger.done("layers/net", SHARD)
        assert found is None or found == make_mark(), "a flip in white space alone may pass"
    path.write_text("[]")
    assert ledger.done("layers/net", SHARD) is None
    assert decode_mark(None) is None


def test_a_mark_of_another_plan_or_place_is_not_done(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(make_mark())
    assert ledger.done("layers/net", Shard("00", 3, 3, 4)) is None
    path = tmp_path / ledger.path("layers/other", SHARD)
    path.parent.mkdir(parents=True)
    path.write_bytes((tmp_path / ledger.path("layers/net", SHARD)).read_bytes())
    assert ledger.done("layers/other", SHARD) is None


def test_pending_leaves_out_what_is_done_and_stops_at_what_changed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(make_mark())
    file = tmp_path / "00/layers/net/label/c/3/0"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(10))
    other = Shard("00", 4, 8, 9)
    assert ledger.pending("layers/net", [SHARD, other], lambda _: INPUTS, LocalFolder(tmp_path)) == [other]
    # Lists and tuples are the same JSON.
    same = {**INPUTS, "settings": {"projection": "default", "tta": (1.0, 0.5)}}
    assert ledger.pending("layers/net", [SHARD], lambda _: same, LocalFolder(tmp_path)) == []
    changed = {**INPUTS, "weights": "d" * 64, "settings": {"projection": "openpcdet", "tta": [1.0, 0.5]}}
    with pytest.raises(ChangedInputError) as caught:
        ledger.pending("layers/net", [other, SHARD], lambda _: changed, LocalFolder(tmp_path))
    line = str(caught.value)
    assert "layers/net of 00, shard 3" in line
    assert "settings.projection: default → openpcdet" in line
    assert "weights: aaaaaaaa… → dddddddd…" in line
    assert "tta" not in line
    assert "--overwrite" in line
    file.write_bytes(bytes(9))
    assert ledger.pending("layers/net", [SHARD], lambda _: INPUTS, LocalFolder(tmp_path)) == [SHARD]
    file.unlink()
    assert ledger.pending("layers/net", [SHARD], lambda _: INPUTS, LocalFolder(tmp_path)) == [SHARD]


def test_explaining_changes() -> None:
    assert explain_change(INPUTS, INPUTS) == ""
    assert explain_change({"a": 1}, {"a": 1, "b": {"c": None}}) == "b.c: (none) → null"
    assert explain_change({"a": {}}, {"a": {"x": 1}}) == "a: {} → (none); a.x: (none) → 1"
    many = explain_change({f"k{i:02}": 0 for i in range(10)}, {f"k{i:02}": 1 for i in range(10)})
    assert many.endswith("k05: 0 → 1; and 4 more")
    assert len(explain_change({"a": "x" * 500}, {"a": "y" * 500})) < 140


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_another_digest_is_always_explained(old: dict[str, Any], new: dict[str, Any]) -> None:
    if digest_of(old) == digest_of(new):
        assert explain_change(old, new) == ""


def test_pending_reads_marks_alone_and_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan of a million frames has 62,500 shards: asking for each mark, or holding all of them, takes too much."""
    ledger, store = Ledger(tmp_path / "ledger"), LocalFolder(tmp_path / "store")
    shards = [Shard("00", number, 2 * number, 2 * number + 2) for number in range(2_000)]
    done = shards[100:800:2]
    for shard in done:
        ledger.record(make_mark(shard=shard, files={}))
    asked: list[int] = []
    inner = LocalFolder.read_many

    def counted(self: LocalFolder, paths: Any) -> Any:
        paths = list(paths)
        asked.append(len(paths))
        return inner(self, paths)

    monkeypatch.setattr(LocalFolder, "read_many", counted)
    pending = ledger.pending("layers/net", shards, lambda shard: INPUTS, store)
    assert pending == [shard for shard in shards if shard not in done]
    assert sum(asked) == len(done)
    assert max(asked) <= 256
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    ledger.pending("layers/net", shards, lambda shard: INPUTS, store, quiet=False)
    assert "checking 350 painted shards of layers/net: 7 of 350 shards" in capsys.readouterr().err
    with pytest.raises(ChangedInputError, match=r"layers/net of 00, shard 798: .*paint_format"):
        ledger.pending("layers/net", shards, lambda shard: {**INPUTS, "paint_format": 1 + (shard.index == 798)}, store)


@given(st.dictionaries(st.text(max_size=6), st.integers(0, 2**50), max_size=4))
def test_a_mark_is_what_the_json_library_makes_of_it(sizes: dict[str, int]) -> None:
    line = '\n "files": {}'
    files = {path: FileSum("0a" * 32, size) for path, size in sizes.items()}
    mark = Mark("points", Shard("00", 0, 0, 4), {"files": {}, "inputs": {"files": line}}, files, (1,), {0: line})
    encoded = encode_mark(mark).decode()
    assert encoded == json.dumps(json.loads(encoded), sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    assert decode_mark(encoded.encode()) == mark
