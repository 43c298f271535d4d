"""KITTI object detection: single frames, each with a calibration of its own.

Layout: the object development kit's readme.txt, with the lists of `ImageSets/` that detectors use where they are
present. Rule of projection: P2 · R0_rect · Tr_velo_to_cam. Frames have no time and no pose.
"""

from dataclasses import dataclass
from functools import partial

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow, RejectedRow, SequenceRows
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.geometry import invert_se3, se3
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.cameras import CameraGeometry, kitti_camera
from paintpipe.stages.ingest.collect import Collector
from paintpipe.stages.ingest.kitti_boxes import box_row, parse_objects
from paintpipe.stages.ingest.kitti_text import parse_calibration
from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.stages.ingest.selection import check_split, select_sequences

FEATURES = ("x", "y", "z", "intensity")
SEQUENCES = ("training", "testing")
CAMERAS = {"image_2": "P2", "image_3": "P3"}
IMAGE_SETS = ("train", "val")


@dataclass
class KittiReader:
    """See `Reader`; `split_of` is the split of each frame of `training` that an image set lists."""

    root: Root
    names: list[str]
    split: str | None
    split_of: dict[str, str]
    synthetic: bool
    rejected: list[RejectedRow]
    dataset: str = "kitti"
    version: str = ""
    labels_taxonomy: str | None = None
    boxes_taxonomy: str | None = "kitti-det4"

    def sequences(self) -> list[str]:
        """`testing` and `training`, as far as they are there and asked for."""
        return list(self.names)

    def read(self, sequence: str, limit: int | None) -> SequenceRows:
        """The rows of `training` or `testing`; a calibration that can't be used rejects its frame."""
        rows = Collector(self.root, limit)
        files = _list_files(rows, sequence)
        for frame_id, path in files.scans.items():
            if rows.full:
                break
            split = self.split_of.get(frame_id) if sequence == "training" else "test"
            if self.split in (None, split, sequence):
                _add_frame(rows, files, _FrameName(sequence, frame_id, split), path)
        return rows.finish()


def open_kitti(root: Root, options: IngestOptions) -> KittiReader:
    """Open the folder that holds `training/` and perhaps `testing/` and `ImageSets/`.

    A split is one of the image sets that are there (`train`, `val`), `test` for all of `testing/`, or the name of
    either folder.

    Raises:
        InputFileError: neither `training/velodyne` nor `testing/velodyne` is there.
        ConfigError: a sequence or split was asked for that is not there.
    """
    present = [name for name in SEQUENCES if checks.list_dir(root, f"{name}/velodyne")]
    if not present:
        expected, todo = "training/velodyne or testing/velodyne", "give the folder above training/"
        raise InputFileError("no KITTI object frames are here", expected=expected, todo=todo)
    rejected: list[RejectedRow] = []
    split_of = _read_image_sets(root, rejected)
    splits = {"training": {"training", *split_of.values()}, "testing": {"testing", "test"}}
    check_split(options.split, {split for name in present for split in splits[name]})
    names = select_sequences([name for name in present if options.split in (None, *splits[name])], options)
    return KittiReader(root, names, options.split, split_of, checks.is_synthetic(root), rejected)


@dataclass(frozen=True)
class _FrameName:
    """Which frame, and the split that an image set puts it in."""

    sequence: str
    frame_id: str
    split: str | None


@dataclass(frozen=True)
class _Files:
    """The files of `training` or `testing`, path by frame id."""

    folder: str
    scans: dict[str, str]
    calibrations: dict[str, str]
    labels: dict[str, str]
    images: dict[str, dict[str, str]]


@dataclass(frozen=True)
class _Matrices:
    """What one frame's calibration says."""

    lidar_SE3_rect: Float64
    ego_SE3_lidar: Float64 | None
    cameras: dict[str, CameraGeometry]


def _list_files(rows: Collector, folder: str) -> _Files:
    images = {name: rows.list_files(f"{folder}/{name}", checks.IMAGE_SUFFIXES) for name in CAMERAS}
    return _Files(
        folder=folder,
        scans=rows.list_files(f"{folder}/velodyne", (".bin",)),
        calibrations=rows.list_files(f"{folder}/calib", (".txt",)),
        labels=rows.list_files(f"{folder}/label_2", (".txt",)),
        images={name: files for name, files in images.items() if files or name == "image_2"},
    )


def _parse_matrices(cameras: tuple[str, ...], text: str, where: str) -> _Matrices:
    calibration = parse_calibration(text, where)
    R0_rect, cam_SE3_velo = calibration.rotation("R0_rect"), calibration.se3("Tr_velo_to_cam")
    velo_SE3_imu = calibration.se3("Tr_imu_to_velo") if "Tr_imu_to_velo" in calibration.values else None
    return _Matrices(
        lidar_SE3_rect=invert_se3(se3(R0_rect, (0.0, 0.0, 0.0)) @ cam_SE3_velo),
        ego_SE3_lidar=None if velo_SE3_imu is None else invert_se3(velo_SE3_imu),
        cameras={
            name: kitti_camera(calibration.projection(CAMERAS[name]), cam_SE3_velo, R0_rect, velo_SE3_imu)
            for name in cameras
        },
    )


def _add_frame(rows: Collector, files: _Files, name: _FrameName, points_path: str) -> None:
    num_points = rows.count_points(points_path)
    calibration_path = f"{files.folder}/calib/{name.frame_id}.txt"
    matrices = rows.read_needed(calibration_path, partial(_parse_matrices, tuple(files.images)))
    if num_points is None or matrices is None:
        return
    frame = FrameRow(
        sequence=name.sequence,
        index=rows.next_index,
        frame_id=name.frame_id,
        points_path=points_path,
        num_points=num_points,
        point_features=FEATURES,
        split=name.split,
        ego_SE3_lidar=matrices.ego_SE3_lidar,
    )
    rows.rows.frames.append(frame)
    for camera, images in files.images.items():
        if name.frame_id in images:
            rows.add_image(frame, camera, images[name.frame_id], matrices.cameras[camera])
        else:
            rows.add_absent(f"{files.folder}/{camera}")
    _add_boxes(rows, files, frame, matrices.lidar_SE3_rect)


def _add_boxes(rows: Collector, files: _Files, frame: FrameRow, lidar_SE3_rect: Float64) -> None:
    if frame.frame_id in files.labels:
        objects = rows.read_needed(files.labels[frame.frame_id], parse_objects)
        rows.rows.boxes.extend(box_row(item, frame, lidar_SE3_rect) for item in objects or ())
    elif files.labels:
        rows.add_absent(f"{files.folder}/label_2")


def _read_image_sets(root: Root, rejected: list[RejectedRow]) -> dict[str, str]:
    """Frame id in `training` → split, from the lists that are there."""
    split_of: dict[str, str] = {}
    for split in IMAGE_SETS:
        path = f"ImageSets/{split}.txt"
        try:
            if root.size(path) is None:
                continue
            frame_ids = checks.read_text(root, path).split()
        except InputFileError as error:
            rejected.append(checks.rejected(path, error))
            continue
        split_of.update(dict.fromkeys(frame_ids, split))
    return split_of
