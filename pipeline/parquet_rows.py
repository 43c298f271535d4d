"""Shards as Parquet files: a row group per frame, a row per point."""

import io
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from paintpipe.pipeline.frames import padded_block
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import FrameArrays, SequenceTable
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.painted import ArraySpec


def encode(
    specs: Sequence[ArraySpec],
    channels: Mapping[str, int],
    table: SequenceTable,
    shard: Shard,
    frames: Sequence[FrameArrays | None],
) -> bytes:
    """A shard's file; the same content gives the same bytes.

    Args:
        specs: the arrays to write.
        channels: length of each dimension other than frame and point.
        table: the sequence's tables.
        shard: which frames.
        frames: their arrays, None for a rejected frame (rows of fill values).
    """
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        _schema(specs, channels),
        compression="zstd",
        compression_level=1,
        use_dictionary=["frame_id"],
        write_statistics=["frame", "point"],
        write_page_checksum=True,
    ) as writer:
        for number, arrays in zip(range(shard.start, shard.stop), frames, strict=True):
            rows = _rows(specs, channels, table, number, arrays)
            writer.write_table(rows, row_group_size=max(1, len(rows)))  # also a frame without points is a row group
    return sink.getvalue()


def read_row_group(
    source: BinaryIO, row_group: int, specs: Sequence[ArraySpec], channels: Mapping[str, int], num_points: int
) -> dict[str, AnyArray]:
    """One frame's arrays; raises ArrowException, OSError, ValueError, LookupError for a damaged file."""
    with pq.ParquetFile(source, page_checksum_verification=True) as file:
        rows = file.read_row_group(row_group, columns=[column_name(spec) for spec in specs])
    arrays: dict[str, AnyArray] = {}
    expected = _schema(specs, channels)
    for spec in specs:
        column = rows[column_name(spec)].combine_chunks()
        # Pages end in a checksum and the footer, which holds the types, does not.
        if column.type != expected.field(column_name(spec)).type:
            raise ValueError(f"{column_name(spec)} has type {column.type}")
        flat = column.flatten() if len(spec.dims) > 2 else column
        arrays[spec.name] = flat.to_numpy(zero_copy_only=False).reshape(num_points, *_channel_shape(spec, channels))
    return arrays


def filled(spec: ArraySpec, channels: Mapping[str, int], num_points: int) -> AnyArray:
    """The rows of a frame that was never painted."""
    return np.full((num_points, *_channel_shape(spec, channels)), spec.fill, dtype=spec.dtype)


def column_name(spec: ArraySpec) -> str:
    """The column of an array."""
    return spec.name.replace("/", "_")


def _rows(
    specs: Sequence[ArraySpec],
    channels: Mapping[str, int],
    table: SequenceTable,
    number: int,
    arrays: FrameArrays | None,
) -> pa.Table:
    count = table.num_points[number : number + 1]
    points = int(count[0])
    columns = [
        pa.array(np.full(points, number, dtype=np.int32)),
        pa.array([table.frame_ids[number]] * points, pa.string()),
        pa.array(np.arange(points, dtype=np.int32)),
    ]
    for spec in specs:
        block = padded_block(spec, [arrays], (points, *_channel_shape(spec, channels)), count)
        values = pa.array(block.reshape(-1))
        columns.append(pa.FixedSizeListArray.from_arrays(values, block.shape[-1]) if block.ndim > 2 else values)
    return pa.Table.from_arrays(columns, schema=_schema(specs, channels))


def _schema(specs: Sequence[ArraySpec], channels: Mapping[str, int]) -> pa.Schema:
    fields = [pa.field("frame", pa.int32()), pa.field("frame_id", pa.string()), pa.field("point", pa.int32())]
    for spec in specs:
        kind = pa.from_numpy_dtype(np.dtype(spec.dtype))
        if len(spec.dims) > 2:
            kind = pa.list_(kind, channels[spec.dims[2]])
        fields.append(pa.field(column_name(spec), kind))
    return pa.schema(fields)


def _channel_shape(spec: ArraySpec, channels: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(channels[dimension] for dimension in spec.dims[2:])
