"""The zarr v3 nodes of a painted store, built and encoded in memory by zarr itself.

Nothing here touches a disk: what zarr would have written comes back as bytes by path, to be published by our own rule.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from paintpipe.pipeline.seal import seal
from paintpipe.pipeline.store import STORE_FORMAT, UNKNOWN_TIME_US, LayerTable, SequenceTable
from paintpipe.pipeline.zarr_shard import COMPRESSOR, LEVEL
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.painted import POINTS, ArraySpec

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer

ARRAYS, COORDS = "arrays", "string_coordinates"
"""Attributes of a layer's group that say what it holds, so that no reader depends on a listing."""

_COORDINATES = {"coordinates": "frame_id timestamp_us"}  # xarray's way to tell a coordinate from a variable


def sequence_files(table: SequenceTable) -> dict[str, bytes]:
    """All metadata and per-frame tables of a sequence's group, without its points."""
    nodes = _Nodes()
    nodes.group("", {"kind": "painted", "store_format": STORE_FORMAT})
    nodes.group(table.sequence, _COORDINATES)
    nodes.group(f"{table.sequence}/layers", {})
    prefix = table.sequence + "/"
    nodes.table(prefix + "num_points", table.num_points, ("frame",))
    attributes = {"units": "us", "unknown_value": UNKNOWN_TIME_US}
    nodes.table(prefix + "timestamp_us", table.timestamps_us, ("frame",), attributes)
    nodes.table(prefix + "global_SE3_lidar", table.global_SE3_lidar, ("frame", "row", "column"))
    nodes.strings(prefix + "frame_id", table.frame_ids, "frame")
    nodes.strings(prefix + "feature", table.features, "feature")
    return nodes.files()


def points_files(table: SequenceTable, frames_per_shard: int) -> dict[str, bytes]:
    """The metadata of a sequence's `points`."""
    nodes = _Nodes()
    sizes = {"frame": len(table.frame_ids), "point": table.max_points, "feature": len(table.features)}
    for spec in POINTS:
        nodes.frame_array(f"{table.sequence}/{spec.name}", spec, sizes, frames_per_shard)
    return nodes.files()


def layer_files(sequence: SequenceTable, table: LayerTable, frames_per_shard: int) -> dict[str, bytes]:
    """The metadata and string coordinates of a layer's group."""
    nodes = _Nodes()
    prefix = f"{sequence.sequence}/layers/{table.layer}"
    attributes = {**table.attributes, ARRAYS: [spec.name for spec in table.specs], COORDS: list(table.coords)}
    nodes.group(prefix, attributes)
    for folder in sorted({spec.name.rpartition("/")[0] for spec in table.specs} - {""}):
        nodes.group(f"{prefix}/{folder}", {})
    for dimension, names in table.coords.items():
        nodes.strings(f"{prefix}/{dimension}", names, dimension)
    sizes = {name: len(names) for name, names in table.coords.items()}
    sizes |= {"frame": len(sequence.frame_ids), "point": sequence.max_points}
    for spec in table.specs:
        nodes.frame_array(f"{prefix}/{spec.name}", spec, sizes, frames_per_shard)
    return nodes.files()


def chunk_path(shard_index: int, num_axes: int) -> str:
    """Where zarr keeps the shard of an array that is split along its first axis alone."""
    return "/".join(["c", str(shard_index), *["0"] * (num_axes - 1)])


class _Nodes:
    """Groups and arrays in a zarr MemoryStore; zarr is loaded here, so that who makes none need not wait for it."""

    def __init__(self) -> None:
        from zarr.storage import MemoryStore

        self.memory: dict[str, Buffer] = {}
        self._store = MemoryStore(self.memory)
        self._made: set[str] = set()

    def group(self, path: str, attributes: Mapping[str, Any]) -> None:
        import zarr

        self._made.add(path)
        zarr.create_group(self._store, path=path, zarr_format=3, attributes=dict(attributes))

    def frame_array(self, path: str, spec: ArraySpec, sizes: Mapping[str, int], frames_per_shard: int) -> Any:
        """One chunk a frame, `frames_per_shard` of them in a zarr shard; each chunk ends in its CRC-32C."""
        import zarr
        from zarr.codecs import BloscCodec, Crc32cCodec

        self._made.add(path)
        shape = tuple(int(sizes[dimension]) for dimension in spec.dims)
        dtype = np.dtype(spec.dtype)
        return zarr.create_array(
            self._store,
            name=path,
            shape=shape,
            dtype=dtype,
            chunks=(1, *shape[1:]),
            shards=(int(frames_per_shard), *shape[1:]),
            filters=None,
            compressors=[
                BloscCodec(typesize=dtype.itemsize, cname=COMPRESSOR, clevel=LEVEL, shuffle="shuffle", blocksize=0),
                Crc32cCodec(),
            ],
            fill_value=spec.fill,
            attributes=dict(spec.attributes),
            dimension_names=spec.dims,
            zarr_format=3,
            config={"write_empty_chunks": True},  # else a shard of nothing but fill leaves no file
        )

    def table(
        self, path: str, values: AnyArray, dimensions: tuple[str, ...], attributes: Mapping[str, Any] | None = None
    ) -> None:
        """A small array in one chunk."""
        fill: Any = float("nan") if values.dtype.kind == "f" else 0
        self._one_chunk(path, values.dtype, values.shape, dimensions, fill, dict(attributes or {}))[...] = values

    def strings(self, path: str, values: tuple[str, ...], dimension: str) -> None:
        """A string coordinate, in one chunk."""
        array = self._one_chunk(path, str, (len(values),), (dimension,), "", {})
        array[...] = np.array(values, dtype=object)

    def files(self) -> dict[str, bytes]:
        """What was made, by path; without the bare groups that zarr adds above a node, which are someone else's."""
        implied = {f"{path}/zarr.json".lstrip("/") for path in _above(self._made)}
        made = {path: buffer.to_bytes() for path, buffer in self.memory.items() if path not in implied}
        return {path: seal(content) if path.endswith("zarr.json") else content for path, content in made.items()}

    def _one_chunk(
        self, path: str, dtype: Any, shape: tuple[int, ...], dimensions: tuple[str, ...], fill: Any, attributes: Any
    ) -> Any:
        import zarr
        from zarr.codecs import Crc32cCodec, ZstdCodec

        self._made.add(path)
        shape = tuple(int(size) for size in shape)
        return zarr.create_array(
            self._store,
            name=path,
            shape=shape,
            dtype=dtype,
            chunks=tuple(max(1, size) for size in shape),
            compressors=[ZstdCodec(level=1, checksum=False), Crc32cCodec()],
            fill_value=fill,
            attributes=attributes,
            dimension_names=dimensions,
            zarr_format=3,
            config={"write_empty_chunks": True},
        )


def _above(paths: set[str]) -> set[str]:
    """All ancestors of `paths` that are not among them, the root ("") included."""
    parts = [path.split("/") for path in paths]
    return {"/".join(part[:depth]) for part in parts for depth in range(len(part))} - paths
