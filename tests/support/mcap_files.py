"""MCAP files of frames made by hand, and their messages as Google's protobuf reads them by the schemas in the file."""

import io
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.mcap.target import McapTarget

TARGET = McapTarget()


class Read(NamedTuple):
    topic: str
    time_ns: int
    message: Any


def picture(path: str) -> bytes:
    """Bytes that begin like an image of the path's format."""
    return (b"\xff\xd8\xff" if path.endswith(".jpg") else b"\x89PNG\r\n\x1a\n") + path.encode()


def open_picture(path: str) -> BinaryIO:
    """A dataset in memory."""
    return io.BytesIO(picture(path))


def recorded(
    frames: Iterable[ExportFrame], facts: ExportFacts, open_input: Callable[[str], BinaryIO] = open_picture
) -> bytes:
    """A sequence as the target writes it."""
    file = io.BytesIO()
    TARGET.write(frames, facts, file, open_input)
    return file.getvalue()


def faults(data: bytes, frames: Iterable[ExportFrame], facts: ExportFacts) -> list[str]:
    """What the target has against a file."""
    return list(TARGET.faults(frames, facts, io.BytesIO(data)))


def read(data: bytes) -> list[Read]:
    """Every message in the order in which it was written."""
    pools: dict[int, descriptor_pool.DescriptorPool] = {}
    found = []
    for schema, channel, message in make_reader(io.BytesIO(data), validate_crcs=True).iter_messages(
        log_time_order=False
    ):
        assert schema is not None
        assert (schema.encoding, channel.message_encoding) == ("protobuf", "protobuf")
        if schema.id not in pools:
            pools[schema.id] = _pool(schema.data)
        kind = message_factory.GetMessageClass(pools[schema.id].FindMessageTypeByName(schema.name))
        found.append(Read(channel.topic, message.log_time, kind.FromString(message.data)))
    return found


def _pool(descriptor_set: bytes) -> descriptor_pool.DescriptorPool:
    """The schemas, each behind those that it needs."""
    pool, left = (
        descriptor_pool.DescriptorPool(),
        list(descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file),
    )
    known: set[str] = set()
    while left:
        ready = [file for file in left if set(file.dependency) <= known]
        assert ready, "schemas that need each other"
        for file in ready:
            pool.Add(file)
            known.add(file.name)
            left.remove(file)
    return pool


def only(messages: list[Read], topic: str) -> list[Any]:
    """The messages of one topic."""
    return [item.message for item in messages if item.topic == topic]


def metadata(data: bytes) -> dict[str, dict[str, str]]:
    """What the file says of itself."""
    return {record.name: record.metadata for record in make_reader(io.BytesIO(data)).iter_metadata()}


def points(cloud: Any) -> AnyArray:
    """(N,) records of a cloud, by the fields that it names."""
    kinds = {1: "u1", 2: "i1", 7: "<f4"}
    layout = {
        "names": [field.name for field in cloud.fields],
        "formats": [kinds[field.type] for field in cloud.fields],
        "offsets": [field.offset for field in cloud.fields],
        "itemsize": cloud.point_stride,
    }
    return np.frombuffer(cloud.data, np.dtype(layout))  # type: ignore[call-overload,no-any-return]
