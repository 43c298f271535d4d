"""What a frame costs in the painted store, by codec, chunk and shard: bytes, encoding, and reading one at random.

    python benchmarks/store_codecs.py WORKSPACE [--sequence NAME] [--layer NAME]

Takes the points and one layer of a painted workspace (`paintpipe paint`, zarr), repeats its frames until there are
enough for a shard, and encodes them again in every way, with one thread. Times are CPU milliseconds of this process,
which other work on the machine hardly moves; a read opens nothing anew and takes one frame of every array through plain
zarr from files in the page cache. The first codec is the default as the store itself writes it; all the rest is written
by zarr, so that like is compared with like.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numcodecs.blosc
import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, TransposeCodec, ZstdCodec
from zarr.storage import LocalStore, MemoryStore

from paintpipe.pipeline.store import POINTS_TARGET
from paintpipe.pipeline.zarr_shard import encode_chunks
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.painted import LAYER_MIN, POINTS, ArraySpec

Codecs = Callable[[int], list[Any]]
"""Bytes of an item → compressors."""
BOTH = tuple(replace(spec, attributes=()) for spec in (*POINTS, *LAYER_MIN))


@dataclass(frozen=True)
class Way:
    """One way of storing the arrays of a frame."""

    codecs: Codecs
    frames_per_shard: int = 16
    frames_per_chunk: int = 1
    points_per_chunk: int | None = None
    columns_apart: bool = False
    ours: bool = False


def blosc(name: Any, level: int, shuffle: Any) -> Codecs:
    return lambda size: [BloscCodec(typesize=size, cname=name, clevel=level, shuffle=shuffle, blocksize=0)]


def zstd(level: int) -> Codecs:
    return lambda _size: [ZstdCodec(level=level, checksum=False)]


OWN = Way(blosc("lz4", 5, "shuffle"))
CODECS = {
    "Blosc lz4 5, shuffle, by our own code": replace(OWN, ours=True),
    "Blosc lz4 5, shuffle": OWN,
    "none": Way(lambda _size: []),
    "Blosc lz4 1, shuffle": Way(blosc("lz4", 1, "shuffle")),
    "Blosc lz4 9, shuffle": Way(blosc("lz4", 9, "shuffle")),
    "Blosc lz4 5, no shuffle": Way(blosc("lz4", 5, "noshuffle")),
    "Blosc lz4 5, bitshuffle": Way(blosc("lz4", 5, "bitshuffle")),
    "Blosc lz4 5, shuffle, columns apart": Way(blosc("lz4", 5, "shuffle"), columns_apart=True),
    "Blosc zstd 1, shuffle": Way(blosc("zstd", 1, "shuffle")),
    "Blosc zstd 1, bitshuffle": Way(blosc("zstd", 1, "bitshuffle")),
    "Blosc zstd 3, shuffle": Way(blosc("zstd", 3, "shuffle")),
    "zstd -1": Way(zstd(-1)),
    "zstd 1": Way(zstd(1)),
    "zstd 3": Way(zstd(3)),
    "zstd 3, columns apart": Way(zstd(3), columns_apart=True),
}
CHUNKS = {
    "a frame": OWN,
    "4 frames": replace(OWN, frames_per_chunk=4),
    "a frame's 32,768 points": replace(OWN, points_per_chunk=32_768),
    "a frame's 8,192 points": replace(OWN, points_per_chunk=8_192),
}
SHARDS = {f"{count}": replace(OWN, frames_per_shard=count) for count in (16, 1, 4, 64)}


@dataclass(frozen=True)
class Cost:
    """Bytes a frame by array, CPU milliseconds a frame to encode, and to read one at random."""

    size: dict[str, float]
    write_ms: float
    read_ms: float


def create(store: Any, spec: ArraySpec, shape: tuple[int, ...], way: Way) -> Any:
    """An array as `zarr_nodes` makes them, but for what `way` says; a shard holds whole chunks."""
    points = shape[1] if way.points_per_chunk is None else min(way.points_per_chunk, shape[1])
    whole = -(-shape[1] // points) * points
    item = np.dtype(spec.dtype).itemsize
    apart = way.columns_apart and len(shape) == 3
    return zarr.create_array(
        store,
        name=spec.name,
        shape=shape,
        dtype=spec.dtype,
        chunks=(way.frames_per_chunk, points, *shape[2:]),
        shards=(way.frames_per_shard, whole, *shape[2:]),
        filters=[TransposeCodec(order=(0, 2, 1))] if apart else None,
        compressors=[*way.codecs(item), Crc32cCodec()],
        fill_value=spec.fill,
        config={"write_empty_chunks": True},
    )


def encoded(spec: ArraySpec, block: AnyArray, way: Way) -> int:
    """Bytes of the shards of a block, encoded by zarr or by the store's own function."""
    if way.ours:
        frames = way.frames_per_shard
        return sum(len(encode_chunks(block[at : at + frames], frames)) for at in range(0, len(block), frames))
    memory: dict[str, Any] = {}
    create(MemoryStore(memory), spec, block.shape, way)[...] = block
    return sum(len(buffer) for path, buffer in memory.items() if "/c/" in path)


def cpu_ms(call: Callable[[], object], rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return 1e3 * median(spent)


def cost(blocks: dict[ArraySpec, AnyArray], way: Way, rounds: int) -> Cost:
    frames = len(next(iter(blocks.values())))
    size = {spec.name: encoded(spec, block, way) / frames for spec, block in blocks.items()}
    write_ms = cpu_ms(lambda: [encoded(spec, block, way) for spec, block in blocks.items()], rounds) / frames
    folder = Path(tempfile.mkdtemp())
    try:
        arrays = [create(LocalStore(folder), spec, block.shape, way) for spec, block in blocks.items()]
        for array, block in zip(arrays, blocks.values(), strict=True):
            array[...] = block
        order = iter(np.random.default_rng(0).integers(0, frames, 8 * rounds).tolist())
        read_ms = cpu_ms(lambda: (frame := next(order), [array[frame] for array in arrays]), 8 * rounds)
    finally:
        shutil.rmtree(folder)
    return Cost(size, write_ms, read_ms)


def blocks_of(workspace: Path, sequence: str | None, layer: str | None, frames: int) -> dict[ArraySpec, AnyArray]:
    """The arrays of a sequence, its frames over and over until there are `frames`."""
    root = zarr.open_group(workspace / "painted.zarr", mode="r", use_consolidated=False)
    group: Any = root[sequence or min(root.group_keys())]
    layers = group["layers"]
    scores = layers[layer or min(layers.group_keys())]
    found = {spec: (group if spec.name == POINTS_TARGET else scores)[spec.name][...] for spec in BOTH}
    return {spec: np.resize(block, (frames, *block.shape[1:])) for spec, block in found.items()}


def table(title: str, ways: dict[str, Way], blocks: dict[ArraySpec, AnyArray], rounds: int) -> None:
    frames = len(next(iter(blocks.values())))
    print(f"\n| {title} | points, kB | scores, kB | others, kB | whole, kB | write, ms | read, ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, way in ways.items():
        if frames < way.frames_per_shard:
            continue
        found = cost(blocks, way, rounds)
        points, scores, whole = found.size["points"], found.size["scores"], sum(found.size.values())
        sizes = " | ".join(f"{size / 1e3:.0f}" for size in (points, scores, whole - points - scores, whole))
        print(f"| {name} | {sizes} | {found.write_ms:.1f} | {found.read_ms:.1f} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--sequence")
    parser.add_argument("--layer")
    parser.add_argument("--frames", type=int, default=16, help="64 for the widest shards")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    numcodecs.blosc.use_threads = False
    zarr.config.set({"threading.max_workers": 1})
    blocks = blocks_of(given.workspace, given.sequence, given.layer, given.frames)
    print(", ".join(f"{spec.name} {block.shape[1:]} {block.dtype}" for spec, block in blocks.items()))
    for title, ways in {"codec": CODECS, "chunk": CHUNKS, "frames a shard": SHARDS}.items():
        table(title, ways, blocks, given.rounds)


if __name__ == "__main__":
    main()
