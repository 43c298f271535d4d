"""What both formats must do alike."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.engine import STORES, layer_frames, make_frame, make_layer, make_sequence, make_store, tree

from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import SequenceTable, Store, layer_target
from paintpipe.schemas.errors import ConfigError, StoreError, WorkspaceError
from paintpipe.schemas.painted import LAYER_FULL, LAYER_MIN, POINTS

pytestmark = [pytest.mark.parametrize("kind", sorted(STORES)), pytest.mark.usefixtures("no_sync")]
TARGET = layer_target("net")


def created(store: Store, sequence: SequenceTable | None = None) -> SequenceTable:
    sequence = sequence or make_sequence()
    store.create_sequence(sequence)
    store.create_layer(sequence.sequence, make_layer())
    return sequence


def write(store: Store, sequence: SequenceTable, *, seed: int = 0) -> None:
    table = store.layer_table(sequence.sequence, "net")
    for shard in plan_shards({sequence.sequence: len(sequence.frame_ids)}, store.frames_per_shard):
        store.root.publish(store.encode_shard(TARGET, shard, layer_frames(table, sequence, shard, seed)))


@given(
    num_points=st.lists(st.integers(0, 6), min_size=1, max_size=7).map(tuple),
    frames_per_shard=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_encoded_is_read_back(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    num_points: tuple[int, ...],
    frames_per_shard: int,
    seed: int,
) -> None:
    store = make_store(kind, tmp_path_factory.mktemp("store"), frames_per_shard)
    sequence = make_sequence("s-1", num_points)
    store.create_sequence(sequence)
    store.create_layer("s-1", make_layer(specs=LAYER_FULL))
    write(store, sequence, seed=seed)
    reopened = make_store(kind, Path(store.root).parent, frames_per_shard)
    whole = Shard("s-1", 0, 0, len(num_points))
    for frame, expected in enumerate(layer_frames(make_layer(specs=LAYER_FULL), sequence, whole, seed)):
        found = reopened.read_frame(TARGET, "s-1", frame)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


def test_points_and_tables_are_read_back(kind: str, tmp_path: Path) -> None:
    store, sequence = make_store(kind, tmp_path), make_sequence()
    store.create_sequence(sequence)
    points = [make_frame(POINTS, count, {"feature": 4}) for count in (5, 0)]
    store.root.publish(store.encode_shard("points", Shard("00", 0, 0, 2), points))
    np.testing.assert_array_equal(store.read_frame("points", "00", 0)["points"], points[0]["points"])
    assert store.read_frame("points", "00", 1)["points"].shape == (0, 4)
    table = make_store(kind, tmp_path).sequence_table("00")
    assert (table.sequence, table.frame_ids, table.features) == ("00", sequence.frame_ids, sequence.features)
    for name in ("num_points", "timestamps_us", "global_SE3_lidar"):
        np.testing.assert_array_equal(getattr(table, name), getattr(sequence, name))
    assert table.max_points == 5


def test_layers_are_listed_and_described(kind: str, tmp_path: Path) -> None:
    store = make_store(kind, tmp_path)
    assert (store.sequences(), store.layers("00")) == ([], [])
    created(store)
    store.create_layer("00", make_layer("second", LAYER_FULL, taxonomy="toy", settings={"tta": [1.0, 0.5]}))
    assert (store.sequences(), store.layers("00")) == (["00"], ["net", "second"])
    found = make_store(kind, tmp_path).layer_table("00", "second")
    expected = make_layer("second", LAYER_FULL, taxonomy="toy", settings={"tta": [1.0, 0.5]})
    assert (found.coords, found.attributes) == (expected.coords, expected.attributes)
    assert [(spec.name, spec.dims, spec.dtype) for spec in found.specs] == [
        (spec.name, spec.dims, spec.dtype) for spec in expected.specs
    ]
    np.testing.assert_array_equal([spec.fill for spec in found.specs], [spec.fill for spec in expected.specs])


def test_frames_never_written_and_rejected_frames_read_as_fill(kind: str, tmp_path: Path) -> None:
    store, sequence = make_store(kind, tmp_path), make_sequence(num_points=(2, 4, 3))
    created(store, sequence)
    frames = layer_frames(make_layer(), sequence, Shard("00", 0, 0, 2))
    store.root.publish(store.encode_shard(TARGET, Shard("00", 0, 0, 2), [None, frames[1]]))
    for frame, count in ((0, 2), (2, 3)):
        found = store.read_frame(TARGET, "00", frame)
        assert found["scores"].shape == (count, 3)
        assert not found["scores"].any()
        assert set(found["label"]) == {255}
        assert set(found["camera"]) == {-1}
    np.testing.assert_array_equal(store.read_frame(TARGET, "00", 1)["label"], frames[1]["label"])


def test_named_arrays_and_unknown_names(kind: str, tmp_path: Path) -> None:
    store = make_store(kind, tmp_path)
    created(store)
    assert list(store.read_frame(TARGET, "00", 0, ["flags", "label"])) == ["flags", "label"]
    with pytest.raises(WorkspaceError, match=r"no array nonsense.*label"):
        store.read_frame(TARGET, "00", 0, ["nonsense"])
    with pytest.raises(WorkspaceError, match="net"):
        store.read_frame("layers/none", "00", 0)
    with pytest.raises(WorkspaceError, match="00"):
        store.read_frame(TARGET, "99", 0)
    for frame in (-1, 3):
        with pytest.raises(WorkspaceError, match="no frame"):
            store.read_frame(TARGET, "00", frame)
    with pytest.raises(ConfigError, match="target"):
        store.read_frame("labels", "00", 0)


def test_creating_again_changes_nothing_and_completes_what_a_kill_left(kind: str, tmp_path: Path) -> None:
    store = make_store(kind, tmp_path)
    created(store)
    whole = tree(Path(store.root))
    created(make_store(kind, tmp_path))
    assert tree(Path(store.root)) == whole
    for name in whole:
        (Path(store.root) / name).unlink()
        again = make_store(kind, tmp_path)
        created(again)
        assert tree(Path(store.root)) == whole


def test_points_may_be_added_later(kind: str, tmp_path: Path) -> None:
    store = make_store(kind, tmp_path)
    store.create_sequence(make_sequence(), with_points=False)
    assert not store.has_points("00")
    with pytest.raises(WorkspaceError, match="no points"):
        store.read_frame("points", "00", 0)
    store.create_sequence(make_sequence())
    assert store.has_points("00")


def test_a_mismatch_is_refused_and_named(kind: str, tmp_path: Path) -> None:
    store = make_store(kind, tmp_path)
    created(store)
    store.create_layer("00", make_layer("a", weights="0" * 64, versions={"torch": "2.4"}))
    store.create_layer("00", make_layer("a", weights="0" * 64, versions={"torch": "2.5"}))
    with pytest.raises(StoreError, match=r"weights: 00000000… → 11111111…"):
        store.create_layer("00", make_layer("a", weights="1" * 64))
    with pytest.raises(StoreError):
        store.create_layer("00", make_layer("a", LAYER_FULL, weights="0" * 64))
    with pytest.raises(StoreError, match="num_points"):
        store.create_sequence(make_sequence(num_points=(5, 0, 2)))
    with pytest.raises(StoreError):
        make_store(kind, tmp_path, frames_per_shard=3).create_sequence(make_sequence())


def test_frames_that_break_the_contract_are_refused(kind: str, tmp_path: Path) -> None:
    store, sequence = make_store(kind, tmp_path), make_sequence()
    created(store, sequence)
    shard = Shard("00", 0, 0, 2)
    good = layer_frames(make_layer(), sequence, shard)
    one = good[0]
    bad = {
        "rows": {**one, "label": one["label"][:-1]},
        "dtype": {**one, "scores": one["scores"].astype(np.float32)},
        "absent": {name: array for name, array in one.items() if name != "flags"},
        "unknown": {**one, "extra": one["label"]},
        "axes": {**one, "scores": one["label"].astype(np.float16)},
        "shape": {**one, "scores": one["scores"][:, :2]},
    }
    for word, frame in bad.items():
        with pytest.raises(StoreError, match=word):
            store.encode_shard(TARGET, shard, [frame, good[1]])
    with pytest.raises(StoreError, match="whole shards"):
        store.encode_shard(TARGET, shard, good[:1])


def test_bytes_do_not_depend_on_threads(kind: str, tmp_path: Path) -> None:
    store, sequence = make_store(kind, tmp_path, 4), make_sequence(num_points=(20_000,) * 4)
    created(store, sequence)
    shard = Shard("00", 0, 0, 4)
    frames = layer_frames(make_layer(), sequence, shard)
    alone = store.encode_shard(TARGET, shard, frames)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: store.encode_shard(TARGET, shard, frames), range(12)))
    assert all(files == alone for files in together)
    assert tree(Path(store.root)).keys().isdisjoint(alone), "encoding writes nothing"


def test_shard_files_are_those_of_shards(kind: str, tmp_path: Path) -> None:
    store, sequence = make_store(kind, tmp_path), make_sequence()
    created(store, sequence)
    store.create_layer("00", make_layer("other"))
    before = tree(Path(store.root)).keys()
    assert store.shard_files(TARGET) == set()
    write(store, sequence)
    assert store.shard_files(TARGET) == tree(Path(store.root)).keys() - before
    assert store.shard_files("layers/other") == store.shard_files("points") == set()


def test_dropping_a_layer_lets_it_be_made_otherwise(kind: str, tmp_path: Path) -> None:
    store, sequence = make_store(kind, tmp_path), make_sequence()
    created(store, sequence)
    write(store, sequence)
    store.create_layer("00", make_layer("other"))
    store.drop("00", TARGET)
    assert store.layers("00") == ["other"]
    assert store.shard_files(TARGET) == set()
    store.create_layer("00", make_layer(specs=LAYER_FULL))
    assert {spec.name for spec in store.layer_table("00", "net").specs} > {spec.name for spec in LAYER_MIN}


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "_meta", "a b", "a\0"])
def test_names_that_can_not_name_folders(kind: str, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        make_sequence(name)
    with pytest.raises(ConfigError, match="name"):
        make_layer(name)
