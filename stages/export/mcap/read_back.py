"""An MCAP file read by another reader than the one that wrote it, and compared with the frames."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from paintpipe.schemas.errors import PaintpipeError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.mcap import messages, scene
from paintpipe.stages.export.mcap.clock import Clock
from paintpipe.stages.export.mcap.compare import box_faults, calibration_faults, cloud_faults, transform_faults
from paintpipe.stages.export.mcap.protobuf import DamagedMessageError, Types, decode, read_types
from paintpipe.stages.export.mcap.writer import has_boxes, image_time_ns


class Message(NamedTuple):
    """A message as the file holds it, decoded by the file's own schema."""

    topic: str
    schema: str
    time_ns: int
    content: dict[str, Any]


@dataclass(frozen=True)
class _Expected:
    """A message that a frame should have brought, and what compares its content."""

    topic: str
    schema: str
    time_ns: int
    faults: Any


def sequence_faults(
    frames: Iterable[ExportFrame], facts: ExportFacts, file: BinaryIO, wanted: Mapping[str, bool]
) -> Iterator[str]:
    """A line for each fault; frames and messages are gone through side by side, so that little is in memory.

    Args:
        frames: that were exported, in order.
        facts: of the export.
        file: the sequence's file, at its beginning; seekable.
        wanted: whether images, boxes and scores of every class were.
    """
    from mcap.exceptions import McapError
    from zstandard import ZstdError

    try:
        yield from _compare(frames, facts, read_messages(file), wanted)
    except PaintpipeError:
        raise  # of the frames
    except (McapError, ZstdError, ValueError, LookupError, OverflowError, struct.error) as error:
        yield f"the file can't be read: {type(error).__name__}: {error}"


def read_messages(file: BinaryIO) -> Iterator[Message]:
    """All messages in the order in which they were written, every checksum tested, and then the index of them.

    The file is gone through once from its front, so that it may be one which is being written still.
    """
    from mcap.records import Channel, Chunk, Schema
    from mcap.records import Message as Record
    from mcap.stream_reader import StreamReader, breakup_chunk

    schemas, channels, types, ends, count = (
        dict[int, Schema](),
        dict[int, Channel](),
        dict[int, Types](),
        list[int](),
        0,
    )
    for chunk in StreamReader(file, emit_chunks=True, validate_crcs=True).records:
        if not isinstance(chunk, Chunk):
            continue
        ends.append(file.tell())
        for record in breakup_chunk(chunk, validate_crc=True):
            if isinstance(record, Schema):
                schemas[record.id], types[record.id] = record, read_types(record.data)
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Record):
                channel, count = channels[record.channel_id], count + 1
                name = schemas[channel.schema_id].name
                content = decode(record.data, name, types[channel.schema_id])
                yield Message(channel.topic, name, record.log_time, content)
    _check_index(file, schemas, channels, ends, count)


def _check_index(
    file: BinaryIO, schemas: Mapping[int, Any], channels: Mapping[int, Any], ends: list[int], count: int
) -> None:
    """Raises DamagedMessageError unless the summary, by which viewers find messages, tells of those that there are."""
    from mcap.reader import make_reader

    file.seek(0)
    summary = make_reader(file).get_summary()
    same = (
        summary is not None
        and summary.statistics is not None
        and summary.statistics.message_count == count
        and [index.chunk_start_offset + index.chunk_length for index in summary.chunk_indexes] == ends
        and summary.schemas == schemas
        and summary.channels == channels
    )
    if not same:
        raise DamagedMessageError("the summary is not that of the messages")


def _compare(
    frames: Iterable[ExportFrame], facts: ExportFacts, found: Iterator[Message], wanted: Mapping[str, bool]
) -> Iterator[str]:
    clock = Clock()
    for frame in frames:
        where = f"{frame.row.sequence}, frame {frame.row.frame_id}"
        for expected in _messages(frame, facts, clock.time_ns(frame.row), wanted):
            message = next(found, None)
            if message is None:
                yield f"{where}: the file ends before its {expected.topic}"
                return
            if (message.topic, message.schema, message.time_ns) != (expected.topic, expected.schema, expected.time_ns):
                yield f"{where}: {message[:3]} where {(expected.topic, expected.schema, expected.time_ns)} is expected"
                return
            for fault in expected.faults(message.content):
                yield f"{where}, {expected.topic}: {fault}"
    extra = sum(1 for _ in found)
    if extra:
        yield f"{extra} messages more than the frames have"


def _messages(frame: ExportFrame, facts: ExportFacts, time_ns: int, wanted: Mapping[str, bool]) -> Iterator[_Expected]:
    """What `writer` writes for a frame, in its order."""
    yield _Expected(
        messages.TRANSFORMS, "foxglove.FrameTransforms", time_ns, lambda found: transform_faults(found, frame)
    )
    yield _Expected(
        messages.CLOUD,
        "foxglove.PointCloud",
        time_ns,
        lambda found: cloud_faults(found, frame, facts, wanted["scores"]),
    )
    for image in frame.images if wanted["images"] else ():
        taken_ns = image_time_ns(image, frame, time_ns)
        topic = messages.calibration_topic(image.camera)
        yield _Expected(
            topic, "foxglove.CameraCalibration", taken_ns, lambda found, image=image: calibration_faults(found, image)
        )
        yield _Expected(messages.image_topic(image.camera), "foxglove.CompressedImage", taken_ns, _image_faults)
    if has_boxes(frame, facts, wanted):
        yield _Expected(scene.BOXES, "foxglove.SceneUpdate", time_ns, lambda found: box_faults(found, frame, facts))


def _image_faults(found: Mapping[str, Any]) -> Iterator[str]:
    name = messages.image_format(found.get("data", b""))
    if name is None or name != found.get("format"):
        yield f"the bytes are {name or 'no image'}, the message says {found.get('format')!r}"
