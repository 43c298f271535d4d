"""Small datasets in the layouts that readers know, written to a folder; every number is chosen by hand."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

WIDTH_PX, HEIGHT_PX = 60, 20

P2 = "100 0 30 5 0 100 10 0.5 0 0 1 0.25"
P3 = "100 0 30 -40 0 100 10 0.5 0 0 1 0.25"
# x forward, y left, z up to x right, y down, z forward, and 0.3 m behind the camera
TR = "0 -1 0 0 0 0 -1 -0.1 1 0 0 -0.3"
IDENTITY_R = "1 0 0 0 1 0 0 0 1"
IDENTITY_POSE = "1 0 0 0 0 1 0 0 0 0 1 0"
CAR_LINE = "Car 0.00 0 -1.57 10.00 5.00 50.00 45.00 1.50 1.60 4.00 2.00 1.00 10.00 0.00"


def png_bytes(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, seed: int = 0) -> bytes:
    """A PNG of seeded noise, BGR as OpenCV takes it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def jpeg_bytes(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, quality: int = 90) -> bytes:
    """A JPEG of seeded noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width_px: int, height_px: int, bits: int, colour: int, pixels: bytes) -> bytes:
    """A PNG from its header's fields and its raw rows, of any size and depth."""
    header = struct.pack(">IIBBBBB", width_px, height_px, bits, colour, 0, 0, 0)
    palette = png_chunk(b"PLTE", bytes(range(48))) if colour == 3 else b""
    parts = [png_chunk(b"IHDR", header), palette, png_chunk(b"IDAT", zlib.compress(pixels)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def write(path: Path, content: bytes | str) -> Path:
    """A file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def points_bytes(count: int, features: int = 4, seed: int = 0) -> bytes:
    """A sweep of `count` points."""
    return np.random.default_rng(seed).normal(0, 10, (count, features)).astype("<f4").tobytes()


def write_semantickitti(root: Path, sequence: str = "00", frames: int = 3) -> Path:
    """One sequence below `root/dataset/sequences`, frame i with 10 + i points; returns the sequence's folder."""
    folder = root / "dataset" / "sequences" / sequence
    for index in range(frames):
        write(folder / "velodyne" / f"{index:06d}.bin", points_bytes(10 + index, seed=index))
        labels = (np.arange(10 + index, dtype="<u4") << 16) | 40
        write(folder / "labels" / f"{index:06d}.label", labels.tobytes())
        write(folder / "image_2" / f"{index:06d}.png", png_bytes(seed=index))
    write(folder / "calib.txt", f"P0: {P2}\nP2: {P2}\nP3: {P3}\nTr: {TR}\n")
    poses = [f"1 0 0 0 0 1 0 0 0 0 1 {index}" for index in range(frames)]
    write(folder / "poses.txt", "\n".join(poses) + "\n")
    write(folder / "times.txt", "\n".join(f"{index * 0.1:.6e}" for index in range(frames)) + "\n")
    return folder


def write_kitti(root: Path, frames: int = 3, folder: str = "training") -> Path:
    """KITTI object frames with one car each; returns `root/training`."""
    base = root / folder
    calibration = f"P2: {P2}\nP3: {P3}\nR0_rect: {IDENTITY_R}\nTr_velo_to_cam: {TR}\nTr_imu_to_velo: {IDENTITY_POSE}\n"
    for index in range(frames):
        write(base / "velodyne" / f"{index:06d}.bin", points_bytes(10 + index, seed=index))
        write(base / "image_2" / f"{index:06d}.png", png_bytes(seed=index))
        write(base / "calib" / f"{index:06d}.txt", calibration)
        write(
            base / "label_2" / f"{index:06d}.txt",
            CAR_LINE + "\nDontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10\n",
        )
    return base


def write_kitti_raw_day(root: Path, date: str = "2011_09_26") -> Path:
    """A day's three calibration files; returns the day's folder."""
    day = root / date
    cam_to_cam = f"calib_time: 09-Jan-2012 13:57:47\nS_rect_02: {WIDTH_PX}.0 {HEIGHT_PX}.0\nR_rect_00: {IDENTITY_R}\n"
    write(day / "calib_cam_to_cam.txt", cam_to_cam + f"P_rect_02: {P2}\nP_rect_03: {P3}\n")
    write(day / "calib_velo_to_cam.txt", "calib_time: 1\nR: 0 -1 0 0 0 -1 1 0 0\nT: 0 -0.1 -0.3\ndelta_f: 0 0\n")
    write(day / "calib_imu_to_velo.txt", f"R: {IDENTITY_R}\nT: -0.8 0.3 -0.8\n")
    return day


def write_kitti_raw(root: Path, frames: int = 3, date: str = "2011_09_26", drive: int = 1) -> Path:
    """A day with one drive, with times but without oxts; returns the drive's folder."""
    folder = write_kitti_raw_day(root, date) / f"{date}_drive_{drive:04d}_sync"
    for index in range(frames):
        write(folder / "velodyne_points" / "data" / f"{index:010d}.bin", points_bytes(10 + index, seed=index))
        write(folder / "image_02" / "data" / f"{index:010d}.png", png_bytes(seed=index))
    day = date.replace("_", "-")
    scans = [f"{day} 13:02:25.{index}00000999" for index in range(frames)]
    images = [f"{day} 13:02:25.{index}10000000" for index in range(frames)]
    write(folder / "velodyne_points" / "timestamps.txt", "\n".join(scans) + "\n")
    write(folder / "image_02" / "timestamps.txt", "\n".join(images) + "\n")
    return folder


def oxts_line(latitude: float, longitude: float, altitude: float, roll: float, pitch: float, yaw: float) -> str:
    """A packet of 30 fields."""
    return " ".join(str(value) for value in [latitude, longitude, altitude, roll, pitch, yaw, *([0.0] * 24)])


def write_custom(root: Path, frames: int = 2) -> Path:
    """Files that the specification of `write_spec` fits, all of its optional parts included."""
    for sequence in ("a", "b"):
        folder = root / sequence
        for frame in range(1, frames + 1):
            write(folder / "lidar" / f"{frame}.bin", points_bytes(5, seed=frame))
            write(folder / "front" / f"{frame}.png", png_bytes())
            write(folder / "labels" / f"{frame}.label", np.full(5, 10, dtype="<u4").tobytes())
        write(folder / "poses.txt", "".join(f"1 0 0 {frame} 0 1 0 0 0 0 1 0\n" for frame in range(frames)))
        write(folder / "times.txt", "".join(f"{frame / 10}\n" for frame in range(frames)))
        write(folder / "boxes.csv", "frame,class,x,y,z,l,w,h,yaw\n1,Car,1,2,3,4,2,1.5,0.25\n")
    return root
