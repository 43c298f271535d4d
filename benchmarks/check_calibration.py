"""How well `paintpipe check-calibration` finds errors that were planted in the calibration files of a dataset.

    python benchmarks/check_calibration.py [--real FOLDER] [--frames 16] [--only NAME,…]

Datasets: two synthetic ones, and with --real (or PAINTPIPE_REAL_DATA) KITTI object, KITTI raw and nuScenes. Each is
linked or copied to a temporary folder; a rotation by 0.5 degrees about each axis of the camera, either way, is written
into its calibration files, or its images are renamed so that each belongs to the sweep before or after; then it is
ingested and checked as a user would. Prints a row for each dataset and error: planted, found (median over cameras),
what found differs from an ideal answer with and without the offset that was found before anything was planted (root
mean square over cameras), and the verdicts. With nothing planted, each camera that `looks off` is a false alarm.
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
from paintpipe.stages.evaluate.alignment.offsets import camera_rotation
from paintpipe.stages.ingest.quaternion import quaternion_from_rotation
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_nuscenes, write_semantickitti
from paintpipe.workflows.check_calibration import CheckRequest, CheckResult, check_calibration
from paintpipe.workflows.ingest import IngestRequest, ingest

Angles = tuple[float, float, float]
AXES = ("roll", "pitch", "yaw")
ROW = "| {:22} | {:14} | {:>21} | {:>9} | {:>9} | {:30} |"


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
    (path,) = root.glob("v1.0-*/calibrated_sensor.json")
    records: list[dict[str, Any]] = json.loads(path.read_text())
    for record in records:
        if record["camera_intrinsic"]:
            rotation = se3_from_quaternion(record["rotation"], (0.0, 0.0, 0.0))[:3, :3]
            record["rotation"] = quaternion_from_rotation(rotation @ camera_rotation(*angles).T).tolist()
    rewrite(path, json.dumps(records))


def delay_images(folder: Path, frames: int) -> None:
    """Let each image be the one that was taken `frames` later; those at the end without one are gone."""
    names = sorted(path.name for path in folder.iterdir())
    contents = folder.rename(folder.with_name("was"))
    folder.mkdir()
    for number, name in enumerate(names):
        if 0 <= number + frames < len(names):
            link(contents / names[number + frames], folder / name)
    shutil.rmtree(contents)


def delay_odometry(root: Path, frames: int) -> None:
    for folder in sorted(root.glob("sequences/*/image_2")):
        delay_images(folder, frames)


def delay_raw(root: Path, frames: int) -> None:
    for folder in sorted(root.glob("*/*/image_02/data")):
        delay_images(folder, frames)


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
    turn: Callable[[Path, Angles], None]
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


def synthetic(folder: Path, frames: int) -> list[Subject]:
    write_semantickitti(folder / "drive", SynthSettings(seed=3, frames=frames))
    write_nuscenes(folder / "scene", SynthSettings(seed=4, keyframes=max(1, frames // 4)))
    return [
        Subject("synthetic drive", "semantickitti", folder / "drive", turn_odometry, delay_odometry),
        Subject("synthetic scene", "nuscenes", folder / "scene", turn_nuscenes),
    ]


def real(folder: Path) -> list[Subject]:
    return [
        Subject("KITTI object", "kitti", folder / "kitti", turn_object),
        Subject("KITTI raw", "kitti-raw", folder / "kitti_raw", turn_raw, delay_raw),
        Subject("nuScenes", "nuscenes", folder / "nuscenes", turn_nuscenes),
    ]


def values(result: CheckResult, axis: str) -> np.ndarray:
    """(cameras,) what was found of an axis."""
    return np.array([found.axes[axis].value for found, _ in result.found if found.axes[axis] is not None])


def root_mean_square(errors: Iterable[float]) -> str:
    return f"{np.sqrt(np.mean(np.square(list(errors)))):.2f}"


def verdicts(result: CheckResult, axis: str = "") -> str:
    """How often each verdict fell, those that name the planted axis apart."""
    words = [
        f"off: {axis}" if axis and axis in verdict.words.split("(")[0] else verdict.state for _, verdict in result.found
    ]
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))


def report(subject: Subject, size_deg: float) -> None:
    began = time.perf_counter()
    plain = subject.checked(lambda root: None)
    middle = " ".join(f"{np.median(values(plain, axis)):+.2f}" for axis in AXES)
    print(ROW.format(subject.name, "nothing", middle, "", "", verdicts(plain)), flush=True)
    for number, axis in enumerate(AXES):
        for size in (size_deg, -size_deg):
            angles = tuple(size if place == number else 0.0 for place in range(3))
            found = subject.checked(lambda root, angles=angles: subject.turn(root, angles))
            values_of = {name: values(found, name) for name in AXES}
            middle = " ".join(f"{np.median(values_of[name]):+.2f}" for name in AXES)
            error = values_of[axis] + size
            cells = (root_mean_square(error), root_mean_square(error - values(plain, axis)))
            print(ROW.format(subject.name, f"{axis} {size:+.1f}°", middle, *cells, verdicts(found, axis)), flush=True)
    if subject.delay is not None:
        delay = subject.delay
        for frames in (0, 1, -1):
            found = subject.checked(lambda root, frames=frames: delay(root, frames))
            shift = found.found[0][0].shift
            told = "–" if shift is None else f"{shift.value:+.2f} {found.found[0][0].shift_unit}"
            print(ROW.format(subject.name, f"{frames:+d} frame", told, "", "", verdicts(found, "time")), flush=True)
    print(f"{subject.name}: {time.perf_counter() - began:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--real", type=Path, default=os.environ.get("PAINTPIPE_REAL_DATA"))
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=float, default=0.5, help="degrees")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subjects = synthetic(Path(folder), options.frames) + (real(Path(options.real)) if options.real else [])
        print(ROW.format("dataset", "planted", "found: roll pitch yaw", "error", "less zero", "verdicts (cameras)"))
        print(ROW.format(*["---"] * 6))
        for subject in subjects:
            if options.only in subject.name:
                report(subject, options.size)


if __name__ == "__main__":
    main()
