"""A sequence as MCAP, a frame at a time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from paintpipe.schemas.catalog import ImageRow
from paintpipe.schemas.errors import ExportError, InputFileError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.mcap import messages, scene
from paintpipe.stages.export.mcap.clock import Clock, checked_ns
from paintpipe.stages.export.mcap.metadata import metadata
from paintpipe.stages.export.mcap.sink import Sink

OpenInput = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class _Writing:
    """What a sequence is written with; channels by topic, opened when they are first needed."""

    facts: ExportFacts
    wanted: Mapping[str, bool]
    read_input: OpenInput
    context: Any
    channels: dict[str, Any]

    def log(self, topic: str, kind: str, message: Any, time_ns: int) -> None:
        """Add a message; `kind` is the name of its schema."""
        from foxglove import channels

        if topic not in self.channels:
            self.channels[topic] = getattr(channels, f"{kind}Channel")(topic, context=self.context)
        self.channels[topic].log(message, log_time=time_ns)


def write_sequence(
    frames: Iterable[ExportFrame], facts: ExportFacts, file: BinaryIO, read_input: OpenInput, wanted: Mapping[str, bool]
) -> None:
    """Write all frames and what the file says of itself.

    Args:
        frames: of one sequence, in order.
        facts: of the export.
        file: to write to; never read, nor moved in.
        read_input: opens a file of the dataset.
        wanted: whether images, boxes and scores of every class are.

    Raises:
        ExportError: a time that the format can't hold, or an image that can't be read or is neither JPEG nor PNG.
    """
    from foxglove import Context, open_mcap
    from foxglove.mcap import MCAPWriteOptions

    sink, clock, sequence = Sink(file), Clock(), ""
    writing = _Writing(facts, wanted, read_input, Context(), {})
    # One thread: a file is the same whatever machine it is written on. Level 1 takes half of the usual level's time.
    options = MCAPWriteOptions(disable_seeking=True, compression_level=1, compression_threads=0)
    with open_mcap(sink, context=writing.context, writer_options=options) as mcap:
        for frame in frames:
            sequence = frame.row.sequence
            _write_frame(frame, writing, clock.time_ns(frame.row))
            sink.drain()
        for name, values in metadata(facts, sequence, clock.describe()):
            mcap.write_metadata(name, values)
    sink.drain()


def _write_frame(frame: ExportFrame, writing: _Writing, time_ns: int) -> None:
    """The messages of a frame; `read_back` expects them in this order."""
    facts, wanted = writing.facts, writing.wanted
    writing.log(messages.TRANSFORMS, "FrameTransforms", messages.transforms_message(frame, time_ns), time_ns)
    cloud = messages.cloud_message(frame, facts, wanted["scores"], time_ns)
    writing.log(messages.CLOUD, "PointCloud", cloud, time_ns)
    if wanted["images"]:
        for image in frame.images:
            _write_image(image, writing, image_time_ns(image, frame, time_ns))
    if has_boxes(frame, facts, wanted):
        writing.log(scene.BOXES, "SceneUpdate", scene.boxes_message(frame, facts, time_ns), time_ns)


def _write_image(image: ImageRow, writing: _Writing, time_ns: int) -> None:
    try:
        with writing.read_input(image.image_path) as opened:
            data = opened.read()
    except (OSError, InputFileError) as error:
        why = error.what if isinstance(error, InputFileError) else f"can't be read ({error.strerror or error})"
        todo = "bring it back, or leave images out: --option images=false"
        raise ExportError(why, where=image.image_path, todo=todo) from error
    calibration = messages.calibration_message(image, time_ns)
    writing.log(messages.calibration_topic(image.camera), "CameraCalibration", calibration, time_ns)
    picture = messages.image_message(image, data, time_ns)
    writing.log(messages.image_topic(image.camera), "CompressedImage", picture, time_ns)


def image_time_ns(image: ImageRow, frame: ExportFrame, frame_time_ns: int) -> int:
    """When an image was taken: the frame's time where that is unknown, or counted from nothing."""
    if image.timestamp_us is None or frame.row.timestamp_us is None:
        return frame_time_ns
    return checked_ns(image.timestamp_us * 1000, frame.row)


def has_boxes(frame: ExportFrame, facts: ExportFacts, wanted: Mapping[str, bool]) -> bool:
    """Whether a frame says what is around it: frames between keyframes leave the boxes of the last one in view."""
    return wanted["boxes"] and facts.info.boxes_taxonomy is not None and frame.row.is_keyframe
