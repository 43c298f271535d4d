"""Shards as zarr itself would write them, byte by byte; the same everywhere; only ever in the store's own codec."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numcodecs.blosc
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine import make_sequence
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import MemoryStore

from paintpipe.pipeline.zarr_shard import encode_chunks
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import StoreError


def by_zarr(block: AnyArray, frames_per_shard: int) -> bytes:
    memory: dict = {}
    array = zarr.create_array(
        MemoryStore(memory),
        name="a",
        shape=block.shape,
        dtype=block.dtype,
        chunks=(1, *block.shape[1:]),
        shards=(frames_per_shard, *block.shape[1:]),
        filters=None,
        compressors=[
            BloscCodec(typesize=block.itemsize, cname="lz4", clevel=5, shuffle="shuffle", blocksize=0),
            Crc32cCodec(),
        ],
        fill_value=0,
        config={"write_empty_chunks": True},
    )
    array[...] = block
    return memory["a/" + "/".join(["c", *["0"] * block.ndim])].to_bytes()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["float16", "float32", "uint8", "int8"]),
    st.lists(st.integers(1, 40), min_size=1, max_size=2),
    st.integers(1, 9),
    st.integers(0, 8),
    st.sampled_from(["noise", "fill", "nan", "ramp"]),
)
def test_a_shard_is_the_one_that_zarr_writes(
    dtype: str, inner: list[int], frames_per_shard: int, absent: int, kind: str
) -> None:
    shape = (max(1, frames_per_shard - absent), 30 * inner[0], *inner[1:])
    rng = np.random.default_rng(len(inner) + frames_per_shard)
    block = rng.integers(0, 100, shape).astype(dtype) if kind == "noise" else np.zeros(shape, dtype)
    if kind == "ramp":
        block[...] = np.arange(shape[1]).reshape(-1, *[1] * (len(shape) - 2)) % 100
    if kind == "nan" and np.dtype(dtype).kind == "f":
        block[:, shape[1] // 2 :] = np.nan
    assert encode_chunks(block, frames_per_shard) == by_zarr(block, frames_per_shard)


def test_a_sweep_of_real_length_is_the_one_that_zarr_writes() -> None:
    block = np.zeros((3, 120_000, 20), np.float16)
    block[:, :20_000] = np.random.default_rng(1).random((3, 20_000, 20))
    assert encode_chunks(iter(block), 4) == by_zarr(block, 4)


def test_a_shard_of_nothing_but_fill_still_holds_its_frames() -> None:
    assert len(encode_chunks(np.zeros((2, 5, 3), np.float16), 4)) > 4 * 16


def test_bytes_are_the_same_on_a_machine_of_many_cores() -> None:
    # With Blosc's own threads these bytes differ from one time to the next.
    block = np.zeros((4, 60_000, 20), np.float16)
    block[:, :20_000] = np.random.default_rng(0).random((4, 20_000, 20))
    before = numcodecs.blosc.set_nthreads(4)
    try:
        alone = encode_chunks(block, 4)
        with ThreadPoolExecutor(3) as pool:
            together = set(pool.map(lambda _: encode_chunks(block, 4), range(9)))
    finally:
        numcodecs.blosc.set_nthreads(before)
    assert together == {alone}


def test_a_store_in_another_codec_is_refused_by_name(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path / "p.zarr", 2)
    store.create_sequence(make_sequence(num_points=(2, 3)))
    path = tmp_path / "p.zarr/00/points/zarr.json"
    node = json.loads(path.read_bytes())
    node["codecs"][0]["configuration"]["codecs"][1]["configuration"]["clevel"] = 9
    path.write_text(json.dumps(node))
    with pytest.raises(StoreError, match="clevel: 9 → 5"):
        ZarrStore(tmp_path / "p.zarr", 2).create_sequence(make_sequence(num_points=(2, 3)))
