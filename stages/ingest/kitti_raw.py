"""KITTI raw: whole drives, synchronised and rectified, with three calibration files for each day.

Layout: the raw data development kit's readme.txt. Rule of projection: P_rect_02 · R_rect_00 · [R|T]. A sequence is a
drive, named as its folder. In synchronised drives the files of all sensors with one number belong together; the time
stamps, where present, say how far apart they were taken.
"""

import re
from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow, RejectedRow, SequenceRows
from paintpipe.schemas.errors import InputFileError
from paintpipe.schemas.geometry import invert_se3, se3
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.cameras import CameraGeometry, kitti_camera
from paintpipe.stages.ingest.checks import join
from paintpipe.stages.ingest.collect import Collector
from paintpipe.stages.ingest.kitti_text import Calibration, lines_of, parse_calibration
from paintpipe.stages.ingest.oxts import OxtsFrame, parse_packet
from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.stages.ingest.selection import check_split, select_sequences

FEATURES = ("x", "y", "z", "intensity")
CAMERAS = {"image_02": "02", "image_03": "03"}
_DATE = re.compile(r"\d{4}_\d{2}_\d{2}")
_DRIVE = re.compile(r"\d{4}_\d{2}_\d{2}_drive_\d+_sync")
_TIME = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?")
_UNRECTIFIED = re.compile(r"\d{4}_\d{2}_\d{2}_drive_\d+_extract")


@dataclass
class KittiRawReader:
    """See `Reader`; `dates` is the folder with the calibration of each drive."""

    root: Root
    dates: dict[str, str]
    names: list[str]
    synthetic: bool
    rejected: list[RejectedRow]
    dataset: str = "kitti-raw"
    version: str = ""
    labels_taxonomy: str | None = None
    boxes_taxonomy: str | None = None

    def sequences(self) -> list[str]:
        """Names of the drives."""
        return list(self.names)

    def read(self, sequence: str, limit: int | None) -> SequenceRows:
        """The rows of one drive; a calibration that can't be used rejects the whole drive."""
        rows = Collector(self.root, limit)
        drive = _open_drive(rows, self.dates[sequence], sequence)
        if drive is not None:
            for frame_id, path in drive.scans.items():
                if rows.full:
                    break
                _add_frame(rows, drive, frame_id, path)
        return rows.finish()


def open_kitti_raw(root: Root, options: IngestOptions) -> KittiRawReader:
    """Open the folder of one day (`2011_09_26`), or the folder above that holds several.

    Raises:
        InputFileError: there is no drive.
        ConfigError: a drive was asked for that is not there, or a split, which this dataset does not have.
    """
    check_split(options.split, set())
    rejected: list[RejectedRow] = []
    dates = _find_drives(root, rejected)
    if not dates:
        expected = "2011_09_26/2011_09_26_drive_NNNN_sync or 2011_09_26_drive_NNNN_sync"
        todo = "give the folder of a day, or the folder above the days"
        raise InputFileError("no KITTI raw drive is here", expected=expected, todo=todo)
    return KittiRawReader(root, dates, select_sequences(list(dates), options), checks.is_synthetic(root), rejected)


def _find_drives(root: Root, rejected: list[RejectedRow]) -> dict[str, str]:
    """Drive → the folder of its day, relative to the root ("" where the root is the day)."""
    dates = {}
    top = checks.list_dir(root, "")
    for date in ["", *filter(_DATE.fullmatch, top)]:
        try:
            names = checks.list_dir(root, date) if date else top
        except InputFileError as error:
            rejected.append(checks.rejected(date, error))
            continue
        dates.update({name: date for name in names if _DRIVE.fullmatch(name)})
        for name in filter(_UNRECTIFIED.fullmatch, names):
            reason = "an unrectified drive, which no calibration projects: use the one whose name ends in _sync"
            rejected.append(RejectedRow(join(date, name), "ingest", reason))
    return dates


@dataclass(frozen=True)
class _Camera:
    """A camera's matrices, the image size that they are for, its files by frame id and its times by number."""

    geometry: CameraGeometry
    size_px: tuple[int, int] | None
    images: dict[str, str]
    times_us: list[int | None] | None


@dataclass(frozen=True)
class _Drive:
    """One drive's files by frame id, times by frame number, and its day's calibration."""

    name: str
    path: str
    scans: dict[str, str]
    times_us: list[int | None] | None
    cameras: dict[str, _Camera]
    ego_SE3_lidar: Float64 | None
    poses: "_Poses | None"


@dataclass(frozen=True)
class _Poses:
    """The packets of a drive, path by frame id, and the frame that its first one sets."""

    packets: dict[str, str]
    frame: OxtsFrame


def _open_drive(rows: Collector, date: str, name: str) -> _Drive | None:
    cam_to_cam = rows.read_needed(join(date, "calib_cam_to_cam.txt"), parse_calibration)
    cam_SE3_velo = rows.read_needed(join(date, "calib_velo_to_cam.txt"), _parse_rigid)
    if cam_to_cam is None or cam_SE3_velo is None:
        return None
    velo_SE3_imu = rows.read_needed(join(date, "calib_imu_to_velo.txt"), _parse_rigid)
    path = join(date, name)
    images = {camera: rows.list_files(f"{path}/{camera}/data", checks.IMAGE_SUFFIXES) for camera in CAMERAS}
    images = {camera: files for camera, files in images.items() if files or camera == "image_02"}
    try:
        geometries = {camera: _geometry(cam_to_cam, camera, cam_SE3_velo, velo_SE3_imu) for camera in images}
    except InputFileError as error:
        rows.reject(cam_to_cam.where, error)
        return None
    return _Drive(
        name=name,
        path=path,
        scans=rows.list_files(f"{path}/velodyne_points/data", (".bin",)),
        times_us=rows.read_optional(f"{path}/velodyne_points/timestamps.txt", parse_timestamps),
        cameras={
            camera: _Camera(
                *geometries[camera],
                images=images[camera],
                times_us=rows.read_optional(f"{path}/{camera}/timestamps.txt", parse_timestamps),
            )
            for camera in images
        },
        ego_SE3_lidar=None if velo_SE3_imu is None else invert_se3(velo_SE3_imu),
        poses=None if velo_SE3_imu is None else _open_poses(rows, f"{path}/oxts/data"),
    )


def _parse_rigid(text: str, where: str) -> Float64:
    """(4, 4) transform from a file with the keys R and T."""
    calibration = parse_calibration(text, where)
    return se3(calibration.rotation("R"), calibration.numbers("T", (3,)))


def _geometry(
    calibration: Calibration, camera: str, cam_SE3_velo: Float64, velo_SE3_imu: Float64 | None
) -> tuple[CameraGeometry, tuple[int, int] | None]:
    """A camera's matrices, and the (width, height) in px of the rectified images that they are for."""
    number = CAMERAS[camera]
    P_rect, R_rect_00 = calibration.projection(f"P_rect_{number}"), calibration.rotation("R_rect_00")
    key = f"S_rect_{number}"
    size = calibration.numbers(key, (2,)) if key in calibration.values else None
    size_px = None if size is None else (round(float(size[0])), round(float(size[1])))
    return kitti_camera(P_rect, cam_SE3_velo, R_rect_00, velo_SE3_imu), size_px


def _open_poses(rows: Collector, folder: str) -> _Poses | None:
    packets = rows.list_files(folder, (".txt",))
    if not packets:
        return None
    first = rows.read_needed(next(iter(packets.values())), parse_packet)
    return None if first is None else _Poses(packets, OxtsFrame.from_first(first))


def parse_timestamps(text: str, where: str) -> list[int | None]:
    """µs by line number from lines such as `2011-09-26 13:02:25.951199337`, read as UTC; None for a blank line.

    Drives that lost scans may leave their lines blank: those keep their place, so that no later time moves.

    Raises:
        InputFileError: a line that is no time.
    """
    lines = [line.strip() for line in lines_of(text, where)]
    return [_time_ns(line, f"{where}: line {at}") // 1000 if line else None for at, line in enumerate(lines, 1)]


def _time_ns(line: str, where: str) -> int:
    """One time; numpy alone would also take "now", "NaT" and years that wrap around."""
    expected = "a time a line, such as 2011-09-26 13:02:25.951199337"
    if _TIME.fullmatch(line) is None:
        raise InputFileError(f"{line[:40]!r} is no time", where=where, expected=expected)
    try:
        return int(np.datetime64(line, "ns").astype(np.int64))
    except ValueError as error:
        raise InputFileError(str(error), where=where, expected=expected) from None


def _add_frame(rows: Collector, drive: _Drive, frame_id: str, points_path: str) -> None:
    num_points = rows.count_points(points_path)
    if num_points is None:
        return
    global_SE3_ego = _pose(rows, drive.poses, frame_id)
    frame = FrameRow(
        sequence=drive.name,
        index=rows.next_index,
        frame_id=frame_id,
        points_path=points_path,
        num_points=num_points,
        point_features=FEATURES,
        timestamp_us=_time_at(drive.times_us, frame_id),
        ego_SE3_lidar=drive.ego_SE3_lidar,
        global_SE3_ego=global_SE3_ego,
        global_SE3_lidar=_chained(global_SE3_ego, drive.ego_SE3_lidar),
    )
    rows.rows.frames.append(frame)
    for name, camera in drive.cameras.items():
        if frame_id not in camera.images:
            rows.add_absent(f"{drive.path}/{name}/data")
            continue
        time_us = _time_at(camera.times_us, frame_id)
        rows.add_image(frame, name, camera.images[frame_id], camera.geometry, time_us, camera.size_px)


def _pose(rows: Collector, poses: _Poses | None, frame_id: str) -> Float64 | None:
    if poses is None or frame_id not in poses.packets:
        return None
    packet = rows.read_needed(poses.packets[frame_id], parse_packet)
    return None if packet is None else poses.frame.global_SE3_imu(packet)


def _chained(global_SE3_ego: Float64 | None, ego_SE3_lidar: Float64 | None) -> Float64 | None:
    if global_SE3_ego is None or ego_SE3_lidar is None:
        return None
    global_SE3_lidar: Float64 = global_SE3_ego @ ego_SE3_lidar
    return global_SE3_lidar


def _time_at(times_us: list[int | None] | None, frame_id: str) -> int | None:
    number = int(frame_id) if frame_id.isdecimal() else None
    if times_us is None or number is None or number >= len(times_us):
        return None
    return times_us[number]
