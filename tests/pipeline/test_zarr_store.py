"""What is particular to zarr: other readers, checksums, and the traps of DESIGN section 4."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from support.engine import layer_frames, make_layer, make_sequence

from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import UNKNOWN_TIME_US, LayerTable
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.errors import StoreError
from paintpipe.schemas.painted import LAYER_FULL, ArraySpec

pytestmark = pytest.mark.usefixtures("no_sync")


def painted(folder: Path, *layers: str) -> ZarrStore:
    """Three frames in two shards, points and layers written."""
    store, sequence = ZarrStore(folder / "painted.zarr", 2), make_sequence()
    store.create_sequence(sequence)
    for layer in layers:
        table = make_layer(layer, LAYER_FULL)
        store.create_layer("00", table)
        for shard in plan_shards({"00": 3}, 2):
            store.root.publish(store.encode_shard(f"layers/{layer}", shard, layer_frames(table, sequence, shard)))
    points = [{"points": np.full((count, 4), 7, np.float32)} for count in (5, 0, 3)]
    for shard in plan_shards({"00": 3}, 2):
        store.root.publish(store.encode_shard("points", shard, points[shard.start : shard.stop]))
    return store


def test_plain_xarray_opens_every_group_also_after_a_second_layer(tmp_path: Path) -> None:
    # Warnings are errors here: nothing of the store may warn in plain xarray.
    root = Path(painted(tmp_path, "a").root)
    first = xr.open_zarr(root, group="00/layers/a", consolidated=False).load()
    painted(tmp_path, "b")
    for layer in ("a", "b"):
        opened = xr.open_zarr(root, group=f"00/layers/{layer}", consolidated=False).load()
        assert opened.sizes == {"frame": 3, "point": 5, "class": 3, "camera_name": 2, "uv": 2}
        assert opened["class"].values.tolist() == ["road", "car", "person"]
        assert opened["camera_name"].values.tolist() == ["image_2", "image_3"]
        assert opened["scores"].dtype == np.float16
        assert opened["camera"].dtype == np.int8
        assert opened["flags"].attrs["flag_masks"] == [1, 2, 4, 8, 16]
        assert opened.attrs["kind"] == "scores"
    xr.testing.assert_identical(first, xr.open_zarr(root, group="00/layers/a", consolidated=False).load())
    opened = xr.open_zarr(root, group="00", consolidated=False).load()
    assert opened["points"].sel(feature="x").values[:, 0].tolist()[::2] == [7, 7]
    assert opened["frame_id"].values.tolist() == ["000000", "000001", "000002"]
    assert opened["num_points"].values.tolist() == [5, 0, 3]
    assert opened["timestamp_us"].values.tolist() == [1_000_000, 1_000_001, UNKNOWN_TIME_US]
    assert np.isnan(opened["points"].values[2, 3:]).all()
    assert set(opened.coords) == {"feature", "frame_id", "timestamp_us"}
    assert sorted(xr.open_datatree(root, engine="zarr", consolidated=False)["00/layers"].children) == ["a", "b"]


def test_layout_and_codecs(tmp_path: Path) -> None:
    root = Path(painted(tmp_path, "a").root)
    found = root.rglob("zarr.json")
    nodes = {path.parent.relative_to(root).as_posix(): json.loads(path.read_bytes()) for path in found}
    arrays = {name: node for name, node in nodes.items() if node["node_type"] == "array"}
    assert not any("consolidated_metadata" in node for node in nodes.values())
    for name, node in arrays.items():
        assert node["zarr_format"] == 3
        assert "_FillValue" not in node["attributes"]
        assert len(node["dimension_names"]) == len(node["shape"]), name
    scores = arrays["00/layers/a/scores"]
    assert scores["shape"] == [3, 5, 3]
    assert scores["chunk_grid"]["configuration"]["chunk_shape"] == [2, 5, 3]
    sharding = scores["codecs"][0]["configuration"]
    assert sharding["chunk_shape"] == [1, 5, 3]
    assert [codec["name"] for codec in sharding["codecs"]] == ["bytes", "blosc", "crc32c"]
    blosc = sharding["codecs"][1]["configuration"]
    assert (blosc["cname"], blosc["shuffle"], blosc["typesize"]) == ("lz4", "shuffle", 2)
    assert [codec["name"] for codec in sharding["index_codecs"]] == ["bytes", "crc32c"]


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5])
def test_shards_hold_the_bytes_that_plain_zarr_writes(tmp_path: Path, num_frames: int) -> None:
    sequence = make_sequence(num_points=(4,) * num_frames)
    ours, theirs = ZarrStore(tmp_path / "ours.zarr", 2), ZarrStore(tmp_path / "theirs.zarr", 2)
    for store in (ours, theirs):
        store.create_sequence(sequence)
        store.create_layer("00", make_layer())
    for shard in plan_shards({"00": num_frames}, 2):
        frames = layer_frames(make_layer(), sequence, shard)
        ours.root.publish(ours.encode_shard("layers/net", shard, frames))
        for name in ("scores", "label", "camera", "flags"):
            array = zarr.open_array(
                Path(theirs.root), path=f"00/layers/net/{name}", mode="r+", config={"write_empty_chunks": True}
            )
            array[shard.start : shard.stop] = np.stack([frame[name] for frame in frames])
    found = {name: (Path(ours.root) / name).read_bytes() for name in ours.shard_files("layers/net")}
    assert found == {name: (Path(theirs.root) / name).read_bytes() for name in theirs.shard_files("layers/net")}
    assert len(found) == 4 * ((num_frames + 1) // 2)


def test_every_flipped_bit_is_noticed_by_plain_zarr(tmp_path: Path) -> None:
    store = painted(tmp_path, "a")
    expected = zarr.open_array(Path(store.root), path="00/layers/a/scores", mode="r")[:2]
    path = Path(store.root) / "00/layers/a/scores/c/0/0/0"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for bit in rng.choice(len(whole) * 8, 120, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        with pytest.raises((ValueError, RuntimeError)):
            zarr.open_array(Path(store.root), path="00/layers/a/scores", mode="r")[:2]
    with pytest.raises(StoreError, match=r"scores: can't be read .*verify"):
        ZarrStore(store.root, 2).read_frame("layers/a", "00", 0, ["scores"])
    path.write_bytes(whole)
    np.testing.assert_array_equal(zarr.open_array(Path(store.root), path="00/layers/a/scores", mode="r")[:2], expected)


def test_damaged_metadata_is_a_clear_error(tmp_path: Path) -> None:
    store = painted(tmp_path, "a")
    (Path(store.root) / "00/layers/a/label/zarr.json").write_text("{")
    fresh = ZarrStore(store.root, 2)
    with pytest.raises(StoreError, match="label"):
        fresh.layer_table("00", "a")
    with pytest.raises(StoreError, match="damaged metadata"):
        fresh.create_layer("00", make_layer("a", LAYER_FULL))


def test_channels_need_not_be_classes(tmp_path: Path) -> None:
    features = ArraySpec("features", ("frame", "point", "channel"), "float32", 0.0)
    store, sequence = ZarrStore(tmp_path / "p.zarr", 2), make_sequence(num_points=(2, 3))
    store.create_sequence(sequence)
    store.create_layer("00", LayerTable("dino", (features,), {"channel": ("f0", "f1")}, {"kind": "features"}))
    frames = [{"features": np.ones((count, 2), np.float32)} for count in (2, 3)]
    store.root.publish(store.encode_shard("layers/dino", Shard("00", 0, 0, 2), frames))
    assert store.read_frame("layers/dino", "00", 1)["features"].sum() == 6
    with pytest.raises(StoreError, match="channel"):
        LayerTable("dino", (features,), {})
