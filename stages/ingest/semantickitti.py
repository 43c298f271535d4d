"""SemanticKITTI: the scans of KITTI odometry with a label for each point.

Layout: http://www.semantic-kitti.org/dataset.html. Rule of projection: P2 · Tr of `calib.txt`, where `Tr` goes from the
LiDAR to the rectified camera 0. `poses.txt` holds global_SE3_rect0, so global_SE3_lidar = Tr⁻¹ · pose · Tr, whose
origin is the LiDAR at the first scan.
"""

from dataclasses import dataclass
from functools import partial

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow, RejectedRow, SequenceRows
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.geometry import invert_se3
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.cameras import CameraGeometry, kitti_camera
from paintpipe.stages.ingest.checks import join
from paintpipe.stages.ingest.collect import Collector, item_at
from paintpipe.stages.ingest.kitti_text import parse_calibration, parse_poses, parse_times_us
from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.stages.ingest.selection import select_sequences

FEATURES = ("x", "y", "z", "intensity")
SPLITS = {
    **{f"{number:02d}": "train" for number in (0, 1, 2, 3, 4, 5, 6, 7, 9, 10)},
    "08": "valid",
    **{f"{number:02d}": "test" for number in range(11, 22)},
}
"""The official splits, from semantic-kitti-api's `semantic-kitti.yaml`."""
CAMERAS = {"image_2": "P2", "image_3": "P3"}


@dataclass
class SemanticKittiReader:
    """See `Reader`; `base` is the folder that holds the sequences."""

    root: Root
    base: str
    names: list[str]
    labels_taxonomy: str | None
    synthetic: bool
    rejected: list[RejectedRow]
    dataset: str = "semantickitti"
    version: str = ""
    boxes_taxonomy: str | None = None

    def sequences(self) -> list[str]:
        """Names of the sequences that hold scans."""
        return list(self.names)

    def read(self, sequence: str, limit: int | None) -> SequenceRows:
        """The rows of one sequence; a calibration that can't be used rejects the whole sequence."""
        rows = Collector(self.root, limit)
        files = _open_sequence(rows, join(self.base, sequence))
        if files is not None:
            for frame_id, path in files.scans.items():
                if rows.full:
                    break
                _add_frame(rows, files, sequence, frame_id, path)
        return rows.finish()


def open_semantickitti(root: Root, options: IngestOptions) -> SemanticKittiReader:
    """Open the folder that holds `sequences/` or `dataset/`, or `sequences` itself.

    Raises:
        InputFileError: there is no sequence with a `velodyne` folder.
        ConfigError: a sequence or split was asked for that is not there.
    """
    rejected: list[RejectedRow] = []
    base, contents = _find_sequences(root, rejected)
    present = [name for name, inside in contents.items() if "velodyne" in inside]
    names = select_sequences(present, options, SPLITS)
    bare = sorted(set(contents) - set(present))
    if bare and not options.sequences:
        reason = f"no velodyne folder in {', '.join(bare)} (partial download?): left out"
        rejected.append(RejectedRow(base, "ingest", reason))
    taxonomy = "semantickitti19" if any("labels" in contents[name] for name in names) else None
    return SemanticKittiReader(root, base, names, taxonomy, checks.is_synthetic(root), rejected)


def _find_sequences(root: Root, rejected: list[RejectedRow]) -> tuple[str, dict[str, list[str]]]:
    """The folder of the sequences, and what each of them holds."""
    for base in ("sequences", "dataset/sequences", ""):
        contents = {}
        for name in checks.list_dir(root, base):
            path = join(base, name)
            try:
                inside = checks.list_dir(root, path)
            except InputFileError as error:
                rejected.append(checks.rejected(path, error))
                continue
            if {"velodyne", "calib.txt"} & set(inside):
                contents[name] = inside
        if any("velodyne" in inside for inside in contents.values()):
            return base, contents
    expected = "sequences/NN/velodyne or dataset/sequences/NN/velodyne"
    todo = "give the folder that holds dataset/ or sequences/"
    raise InputFileError("no SemanticKITTI sequence is here", expected=expected, todo=todo)


@dataclass(frozen=True)
class _Sequence:
    """One sequence's files by frame id, and its calibration, poses and times by frame number."""

    path: str
    scans: dict[str, str]
    labels: dict[str, str]
    images: dict[str, dict[str, str]]
    cameras: dict[str, CameraGeometry]
    global_SE3_lidar: Float64 | None
    times_us: Float64 | None


def _open_sequence(rows: Collector, path: str) -> _Sequence | None:
    images = {name: rows.list_files(join(path, name), checks.IMAGE_SUFFIXES) for name in CAMERAS}
    images = {name: files for name, files in images.items() if files or name == "image_2"}
    matrices = rows.read_needed(join(path, "calib.txt"), partial(_parse_matrices, tuple(images)))
    if matrices is None:
        return None
    rect0_SE3_lidar, cameras = matrices
    global_SE3_rect0 = rows.read_optional(join(path, "poses.txt"), parse_poses)
    return _Sequence(
        path=path,
        scans=rows.list_files(join(path, "velodyne"), (".bin",)),
        labels=rows.list_files(join(path, "labels"), (".label",)),
        images=images,
        cameras=cameras,
        global_SE3_lidar=_lidar_poses(global_SE3_rect0, rect0_SE3_lidar),
        times_us=rows.read_optional(join(path, "times.txt"), partial(parse_times_us, us_per_unit=1e6)),
    )


def _parse_matrices(cameras: tuple[str, ...], text: str, where: str) -> tuple[Float64, dict[str, CameraGeometry]]:
    """rect0_SE3_lidar, and each camera's geometry."""
    calibration = parse_calibration(text, where)
    rect0_SE3_lidar = calibration.se3("Tr")
    return rect0_SE3_lidar, {
        name: kitti_camera(calibration.projection(CAMERAS[name]), rect0_SE3_lidar) for name in cameras
    }


def _lidar_poses(global_SE3_rect0: Float64 | None, rect0_SE3_lidar: Float64) -> Float64 | None:
    """(n, 4, 4) global_SE3_lidar by frame number."""
    if global_SE3_rect0 is None:
        return None
    poses: Float64 = invert_se3(rect0_SE3_lidar) @ global_SE3_rect0 @ rect0_SE3_lidar
    return poses


def _add_frame(rows: Collector, files: _Sequence, sequence: str, frame_id: str, points_path: str) -> None:
    num_points = rows.count_points(points_path)
    if num_points is None:
        return
    number = int(frame_id) if frame_id.isdecimal() else None
    time_us = item_at(files.times_us, number)
    labels_path = _labels(rows, files, frame_id, num_points)
    frame = FrameRow(
        sequence=sequence,
        index=rows.next_index,
        frame_id=frame_id,
        points_path=points_path,
        num_points=num_points,
        point_features=FEATURES,
        timestamp_us=None if time_us is None else round(float(time_us)),
        split=SPLITS.get(sequence),
        labels_path=labels_path,
        labels_format=None if labels_path is None else "semantickitti",
        global_SE3_lidar=item_at(files.global_SE3_lidar, number),
    )
    rows.rows.frames.append(frame)
    for camera, images in files.images.items():
        if frame_id in images:
            rows.add_image(frame, camera, images[frame_id], files.cameras[camera], frame.timestamp_us)
        else:
            rows.add_absent(join(files.path, camera))


def _labels(rows: Collector, files: _Sequence, frame_id: str, num_points: int) -> str | None:
    if frame_id in files.labels:
        return rows.usable_labels(files.labels[frame_id], "semantickitti", num_points)
    if files.labels:
        rows.add_absent(join(files.path, "labels"))
    return None
