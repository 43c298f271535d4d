"""People's own data: any layout that a specification can describe, see `write_spec`."""

from dataclasses import dataclass

from paintpipe.schemas.catalog import FrameRow, RejectedRow, SequenceRows
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest.collect import Collector, item_at
from paintpipe.stages.ingest.custom_boxes import box_row
from paintpipe.stages.ingest.custom_extras import SequenceExtras, read_extras
from paintpipe.stages.ingest.custom_pattern import find_files
from paintpipe.stages.ingest.custom_spec import CustomFiles, CustomSpec, parse_spec, spec_root
from paintpipe.stages.ingest.custom_template import write_spec
from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.stages.ingest.selection import check_split, select_sequences

__all__ = ["CustomReader", "open_custom", "spec_root", "write_spec"]


@dataclass
class CustomReader:
    """See `Reader`; `scans` holds sequence → frame → path of the points."""

    root: Root
    spec: CustomSpec
    scans: dict[str, dict[str, str]]
    names: list[str]
    version: str
    labels_taxonomy: str | None
    boxes_taxonomy: str | None
    rejected: list[RejectedRow]
    dataset: str = "custom"
    synthetic: bool = False

    def sequences(self) -> list[str]:
        """Names that stand for `{sequence}`, or the specification's name where it has no such placeholder."""
        return list(self.names)

    def read(self, sequence: str, limit: int | None) -> SequenceRows:
        """The rows of one sequence."""
        rows = Collector(self.root, limit)
        scans = self.scans[sequence]
        extras = read_extras(rows, self.spec, sequence, list(scans))
        for number, (frame_id, path) in enumerate(scans.items()):
            if rows.full:
                break
            _add_frame(rows, self.spec, extras, _FrameFile(sequence, frame_id, number, path))
        return rows.finish()


def open_custom(spec_text: str, root: Root, options: IngestOptions) -> CustomReader:
    """Open the data that a specification describes; `root` is the folder that `spec_root` names.

    Raises:
        ConfigError: the specification makes no sense, or a sequence or split was asked for that is not there.
        InputFileError: no point file fits the pattern.
    """
    spec = parse_spec(spec_text)
    check_split(options.split, set())
    scans = find_files(root, spec.points.pattern, spec.name)
    if not scans:
        todo = "check `root` and `points.pattern` in the specification"
        raise InputFileError("no point file fits the pattern", where=spec.points.pattern.text, todo=todo)
    return CustomReader(
        root=root,
        spec=spec,
        scans=scans,
        names=select_sequences(list(scans), options),
        version=spec.name,
        labels_taxonomy=spec.labels.taxonomy if spec.labels else None,
        boxes_taxonomy=spec.boxes.taxonomy if spec.boxes else None,
        rejected=[],
    )


@dataclass(frozen=True)
class _FrameFile:
    """One frame: its name, its place in the sequence, and its points."""

    sequence: str
    frame_id: str
    number: int
    path: str


def _add_frame(rows: Collector, spec: CustomSpec, extras: SequenceExtras, file: _FrameFile) -> None:
    num_points = rows.count_points(file.path, len(spec.columns), spec.points.format)
    if num_points is None:
        return
    time_us = item_at(extras.times_us, file.number)
    labels_path = _labels(rows, spec.labels, file, num_points)
    frame = FrameRow(
        sequence=file.sequence,
        index=rows.next_index,
        frame_id=file.frame_id,
        points_path=file.path,
        num_points=num_points,
        point_features=spec.columns,
        points_format=spec.points.format,
        timestamp_us=None if time_us is None else round(float(time_us)),
        labels_path=labels_path,
        labels_format=spec.labels.format if spec.labels and labels_path else None,
        global_SE3_lidar=item_at(extras.global_SE3_lidar, file.number),
    )
    rows.rows.frames.append(frame)
    rows.rows.boxes.extend(box_row(box, frame) for box in extras.boxes.get(file.frame_id, ()))
    for camera in spec.cameras:
        path = camera.image.fill(sequence=file.sequence, frame=file.frame_id)
        if rows.has(path):
            rows.add_image(frame, camera.name, path, camera.geometry)
        else:
            rows.add_absent(camera.image.text)


def _labels(rows: Collector, files: CustomFiles | None, file: _FrameFile, num_points: int) -> str | None:
    if files is None:
        return None
    path = files.pattern.fill(sequence=file.sequence, frame=file.frame_id)
    if rows.has(path):
        return rows.usable_labels(path, files.format, num_points)
    rows.add_absent(files.pattern.text)
    return None
