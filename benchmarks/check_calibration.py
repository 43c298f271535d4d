"""How well `paintpipe check-calibration` finds errors that were planted in the calibration files of a dataset.

    python benchmarks/check_calibration.py [--real FOLDER] [--frames 16] [--only NAME,…]

Datasets: two synthetic ones, and with --real (or PAINTPIPE_REAL_DATA) KITTI object, KITTI raw and nuScenes. Each is
linked or copied to a temporary folder; a rotation by 0.5 degrees about each axis of the camera, either way, is written
into its calibration files (of nuScenes: of all cameras, of the LiDAR, of one camera), or its images are renamed so that
each is the one taken before or after; then it is ingested and checked as a user would. Prints a row for each dataset
and error: planted, found (median over cameras), what found differs from an ideal answer with and without the offset
that was found before anything was planted (root mean square over cameras; where the LiDAR was turned, of what is told
of it), the verdicts, and what is told of all cameras together. With nothing planted, each camera that `looks off` is a
false alarm.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.schemas.geometry import se3_from_quaternion
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate
from paintpipe.stages.evaluate.alignment.offsets import camera_rotation
from paintpipe.stages.evaluate.alignment.together import ALL_TOGETHER
from paintpipe.stages.evaluate.alignment.verdict import Verdict
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_nuscenes, write_semantickitti
from paintpipe.workflows.check_calibration import CheckRequest, CheckResult, check_calibration
from paintpipe.workflows.ingest import IngestRequest, ingest

Angles = tuple[float, float, float]
Turn = Callable[[Path, Angles], None]
LIDAR = "LiDAR, "
AXES = ("roll", "pitch", "yaw")
FRONT_R_EGO = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
ROW = "| {} | {} | {} | {} | {} | {} | {} |"
HEAD = ("dataset", "planted", "found: roll, pitch, yaw", "error", "less zero", "cameras", "all together")


def turn_kitti(path: Path, key: str, angles: Angles) -> None:
    """Turn the 3x4 matrix `key` of a calibration file."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        name, _, values = line.partition(":")
        if name == key:
            matrix = camera_rotation(*angles) @ np.array(values.split(), np.float64).reshape(3, -1)
            lines[number] = f"{name}: " + " ".join(f"{value:.12e}" for value in matrix.reshape(-1))
    rewrite(path, "\n".join(lines) + "\n")


def turn_object(root: Path, angles: Angles) -> None:
    for path in sorted((root / "training/calib").glob("*.txt")):
        turn_kitti(path, "Tr_velo_to_cam", angles)


def turn_odometry(root: Path, angles: Angles) -> None:
    for path in sorted(root.glob("sequences/*/calib.txt")):
        turn_kitti(path, "Tr", angles)


def turn_raw(root: Path, angles: Angles) -> None:
    for key in ("R", "T"):
        turn_kitti(root / "2011_09_26/calib_velo_to_cam.txt", key, angles)


def turn_nuscenes(root: Path, angles: Angles) -> None:
    """Turn every camera about its own axes."""
    rewrite_sensors(root, lambda channel, R: R @ camera_rotation(*angles).T if channel.startswith("CAM") else R)


def turn_one(root: Path, angles: Angles, camera: str = "CAM_BACK_LEFT") -> None:
    """Turn one camera of nuScenes about its own axes."""
    rewrite_sensors(root, lambda channel, R: R @ camera_rotation(*angles).T if channel == camera else R)


def turn_lidar(root: Path, angles: Angles) -> None:
    """Turn nuScenes' LiDAR about its origin, in the axes of a camera that looks straight ahead."""
    turn = FRONT_R_EGO.T @ camera_rotation(*angles) @ FRONT_R_EGO
    rewrite_sensors(root, lambda channel, R: turn @ R if channel == "LIDAR_TOP" else R)


def rewrite_sensors(root: Path, change: Callable[[str, np.ndarray], np.ndarray]) -> None:
    """Change the rotations (3, 3) from nuScenes' sensors to the car, given each one's channel."""
    (path,) = root.glob("v1.0-*/calibrated_sensor.json")
    sensors = json.loads(path.with_name("sensor.json").read_text())
    channels = {sensor["token"]: sensor["channel"] for sensor in sensors}
    records: list[dict[str, Any]] = json.loads(path.read_text())
    for record in records:
        rotation = se3_from_quaternion(record["rotation"], (0.0, 0.0, 0.0))[:3, :3]
        changed = change(channels[record["sensor_token"]], rotation)
        record["rotation"] = quaternion_from_rotation(changed).tolist()
    rewrite(path, json.dumps(records))


def delay_images(paths: list[Path], images: int) -> None:
    """Let each image of a camera, in order, be the one taken `images` later; those at the end without one are gone."""
    aside = [path.rename(path.with_name(f"was-{path.name}")) for path in paths]
    for number, path in enumerate(paths):
        if 0 <= number + images < len(paths):
            link(aside[number + images], path)
    for path in aside:
        path.unlink()


def delay_odometry(root: Path, images: int) -> None:
    for folder in sorted(root.glob("sequences/*/image_2")):
        delay_images(sorted(folder.iterdir()), images)


def delay_raw(root: Path, images: int) -> None:
    for folder in sorted(root.glob("*/*/image_02/data")):
        delay_images(sorted(folder.iterdir()), images)


def delay_nuscenes(root: Path, images: int) -> None:
    """Cameras see 12 times a second, so that the next image is the one of 83 ms later."""
    for folder in sorted(root.glob("samples/CAM_*")):
        both = [*folder.iterdir(), *(root / "sweeps" / folder.name).iterdir()]
        delay_images(sorted(both, key=lambda path: path.name), images)


def rewrite(path: Path, text: str) -> None:
    """Write a file anew, so that what it was linked from stays as it is."""
    path.unlink()
    path.write_text(text)


def copy_tree(source: Path, target: Path) -> None:
    """A copy whose folders may be changed, whatever may be done to the original's; files are linked where possible."""
    for path in [source, *sorted(source.rglob("*"))]:
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True)
        else:
            link(path, place)


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@dataclass(frozen=True)
class Subject:
    """A dataset that errors are planted in."""

    name: str
    reader: str
    root: Path
    turns: dict[str, Turn]
    delay: Callable[[Path, int], None] | None = None
    cameras: tuple[str, ...] = ()

    def checked(self, plant: Callable[[Path], None], **options: Any) -> CheckResult:
        """What the command says of a copy of the dataset with something planted in it."""
        with tempfile.TemporaryDirectory() as folder:
            root, workspace = Path(folder) / "data", Path(folder) / "workspace"
            copy_tree(self.root, root)
            plant(root)
            ingest(IngestRequest(self.reader, str(root), workspace, quiet=True))
            return check_calibration(CheckRequest(workspace, cameras=self.cameras, quiet=True, **options))


NUSCENES_TURNS: dict[str, Turn] = {"": turn_nuscenes, LIDAR: turn_lidar, "CAM_BACK_LEFT, ": turn_one}


def subjects(folder: Path, frames: int, real: Path | None) -> dict[str, Callable[[], Subject]]:
    """By name; the synthetic ones are written when they are asked for."""

    def drive() -> Subject:
        write_semantickitti(folder / "drive", SynthSettings(seed=3, frames=frames))
        return Subject("synthetic drive", "semantickitti", folder / "drive", {"": turn_odometry}, delay_odometry)

    def scene() -> Subject:
        write_nuscenes(folder / "scene", SynthSettings(seed=4, keyframes=max(1, frames // 4)))
        return Subject("synthetic scene", "nuscenes", folder / "scene", NUSCENES_TURNS, delay_nuscenes)

    found: dict[str, Callable[[], Subject]] = {"synthetic drive": drive, "synthetic scene": scene}
    if real is not None:
        found["KITTI object"] = lambda: Subject("KITTI object", "kitti", real / "kitti", {"": turn_object})
        found["KITTI raw"] = lambda: Subject("KITTI raw", "kitti-raw", real / "kitti_raw", {"": turn_raw}, delay_raw)
        found["nuScenes"] = lambda: Subject("nuScenes", "nuscenes", real / "nuscenes", NUSCENES_TURNS)
    return found


def cameras_of(result: CheckResult) -> list[tuple[CameraEstimate, Verdict]]:
    return [pair for pair in result.found if pair[0].camera != ALL_TOGETHER]


def together_of(result: CheckResult) -> list[tuple[CameraEstimate, Verdict]]:
    return [pair for pair in result.found if pair[0].camera == ALL_TOGETHER]


def values(found: list[tuple[CameraEstimate, Verdict]], axis: str) -> np.ndarray:
    """(cameras,) what was found of an axis."""
    measured = [one.axes[axis] for one, _ in found]
    return np.array([axis.value for axis in measured if axis is not None])


def root_mean_square(errors: Iterable[float]) -> str:
    return f"{np.sqrt(np.mean(np.square(list(errors)))):.2f}"


def verdicts(found: list[tuple[CameraEstimate, Verdict]], axis: str = "") -> str:
    """How often each verdict fell, those that name the planted axis apart."""
    words = [
        f"off: {axis}" if axis and axis in verdict.words.split("(")[0] and verdict.state == "off" else verdict.state
        for _, verdict in found
    ]
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))


def middle(found: list[tuple[CameraEstimate, Verdict]], axes: Iterable[str] = AXES) -> str:
    """Median over cameras."""
    return " ".join(f"{np.median(values(found, axis)):+.2f}" for axis in axes if len(values(found, axis)))


def together_words(result: CheckResult) -> str:
    return "; ".join(f"{middle([pair])}: {pair[1].words}" for pair in together_of(result))


def report(subject: Subject, size_deg: float) -> None:
    began = time.perf_counter()
    plain = subject.checked(lambda root: None)
    cells = (middle(cameras_of(plain)), "–", "–", verdicts(cameras_of(plain)), together_words(plain))
    print(ROW.format(subject.name, "nothing", *cells), flush=True)
    for what, turn in subject.turns.items():
        for number, axis in enumerate(AXES):
            for size in (size_deg, -size_deg):
                angles = tuple(size if place == number else 0.0 for place in range(3))
                report_turn(subject, what, axis, size, plain, lambda root, a=angles, t=turn: t(root, a))
    if subject.delay is not None:
        delay = subject.delay
        for images in (0, 1, -1):
            found = subject.checked(lambda root, images=images: delay(root, images))
            unit = found.found[0][0].shift_unit
            told = f"shift {middle(cameras_of(found), ['shift'])} {unit}"
            both = "; ".join(f"shift {middle([pair], ['shift'])}: {pair[1].words}" for pair in together_of(found))
            cells = (told, "–", "–", verdicts(cameras_of(found), "time"), both)
            print(ROW.format(subject.name, f"images {images:+d}", *cells), flush=True)
    print(f"{subject.name}: {time.perf_counter() - began:.0f} s", flush=True)


def report_turn(
    subject: Subject, what: str, axis: str, size: float, plain: CheckResult, plant: Callable[[Path], None]
) -> None:
    found = subject.checked(plant)
    which = together_of if what == LIDAR else cameras_of
    shown = values(which(found), axis), values(which(plain), axis)
    error = ["–", "–"]
    if what in ("", LIDAR) and shown[0].shape == shown[1].shape:
        error = [root_mean_square(shown[0] + size), root_mean_square(shown[0] - shown[1] + size)]
    cells = (middle(cameras_of(found)), *error, verdicts(cameras_of(found), axis), together_words(found))
    print(ROW.format(subject.name, f"{what}{axis} {size:+.1f}°", *cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--real", type=Path, default=os.environ.get("PAINTPIPE_REAL_DATA"))
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=float, default=0.5, help="degrees")
    parser.add_argument("--only", default="", help="names or parts of names of datasets, with commas between")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(ROW.format(*HEAD))
        print(ROW.format(*["---"] * len(HEAD)))
        for name, make in subjects(Path(folder), options.frames, options.real and Path(options.real)).items():
            if any(part in name for part in options.only.split(",")):
                report(make(), options.size)


if __name__ == "__main__":
    main()
