"""What is particular to Parquet: other readers and checksums."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from support.engine import layer_frames, make_layer, make_sequence

from paintpipe.pipeline.parquet_store import ParquetStore
from paintpipe.pipeline.shards import plan_shards
from paintpipe.schemas.errors import StoreError
from paintpipe.schemas.painted import LAYER_FULL


def painted(folder: Path) -> ParquetStore:
    store = ParquetStore(folder / "painted.parquet", 2)
    for name in ("00", "01"):
        sequence = make_sequence(name)
        store.create_sequence(sequence)
        table = make_layer("net", LAYER_FULL)
        store.create_layer(name, table)
        for shard in plan_shards({name: 3}, 2):
            store.root.publish(store.encode_shard("layers/net", shard, layer_frames(table, sequence, shard)))
    return store


def test_a_plain_hive_dataset(tmp_path: Path) -> None:
    store = painted(tmp_path)
    rows = ds.dataset(Path(store.root) / "layers" / "net", partitioning="hive").to_table()
    assert len(rows) == 2 * (5 + 0 + 3)
    assert set(rows["sequence"].to_pylist()) <= {0, 1, "00", "01"}
    assert rows["frame"].to_pylist()[:8] == [0] * 5 + [2] * 3
    assert rows["point"].to_pylist()[:8] == [0, 1, 2, 3, 4, 0, 1, 2]
    assert rows["frame_id"].to_pylist()[7] == "000002"
    assert rows.schema.field("scores").type == pa.list_(pa.float16(), 3)
    assert rows.schema.field("second_pixel_px").type == pa.list_(pa.float32(), 2)
    expected = layer_frames(make_layer("net", LAYER_FULL), make_sequence(), plan_shards({"00": 3}, 3)[0])[0]["scores"]
    np.testing.assert_array_equal(np.array(rows["scores"].to_pylist()[:5], np.float16), expected)


def test_a_row_group_per_frame_also_without_points(tmp_path: Path) -> None:
    file = pq.ParquetFile(Path(painted(tmp_path).root) / "layers/net/sequence=00/shard-00000.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [5, 0]


def test_flipped_bits_never_give_other_values(tmp_path: Path) -> None:
    store = painted(tmp_path)
    path = Path(store.root) / "layers/net/sequence=00/shard-00000.parquet"
    whole = path.read_bytes()
    expected = store.read_frame("layers/net", "00", 0)
    noticed = 0
    for bit in np.random.default_rng(0).choice(len(whole) * 8, 150, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        try:
            found = store.read_frame("layers/net", "00", 0)
        except StoreError:
            noticed += 1
            continue
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)
    assert noticed > 30


def test_a_truncated_file_is_a_clear_error(tmp_path: Path) -> None:
    store = painted(tmp_path)
    path = Path(store.root) / "layers/net/sequence=00/shard-00000.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StoreError, match=r"shard-00000.*verify"):
        store.read_frame("layers/net", "00", 0)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "{", "[]", "{}"])
def test_damaged_tables_are_a_clear_error(tmp_path: Path, content: str) -> None:
    store = painted(tmp_path)
    (Path(store.root) / "meta/frames/00.json").write_text(content)
    with pytest.raises(StoreError, match=r"00\.json: damaged metadata"):
        ParquetStore(tmp_path / "painted.parquet", 2).sequence_table("00")
