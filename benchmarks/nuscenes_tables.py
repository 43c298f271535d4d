"""Time and peak memory of reading nuScenes tables: paintpipe's reader against the devkit's `NuScenes(...)`.

Generates tables of trainval's size (34,149 samples, 2.63 M sample_data with as many ego poses, 1.17 M annotations;
`--samples N` for fewer), then runs each side alone in a process of its own. Ours opens the dataset and reads every
scene's keyframe rows (frames, images, boxes), which is all that a catalog holds. Sensor files are stood for by one
JPEG header and a file size, on our side only: the devkit's constructor looks at none.

    python benchmarks/nuscenes_tables.py [--samples N] [--folder DIR] [--sweeps]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

TRAINVAL_SAMPLES = 34_149
SAMPLES_A_SCENE = 40
CAMERAS = ("CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_FRONT_LEFT", "CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT")
RADARS = ("RADAR_FRONT", "RADAR_FRONT_LEFT", "RADAR_FRONT_RIGHT", "RADAR_BACK_LEFT", "RADAR_BACK_RIGHT")
FILES_A_SAMPLE = {"LIDAR_TOP": 10, **dict.fromkeys(CAMERAS, 6), **dict.fromkeys(RADARS, 6), "RADAR_FRONT": 7}
BOXES_A_SAMPLE = 34
SAMPLES_A_BOX = 18
VERSION = "v1.0-trainval"
POINTS = 34_688
JPEG_HEADER = b"\xff\xd8\xff\xc0\x00\x11\x08\x03\x84\x06\x40" + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
"""The frame header of 1600x900 px in three channels."""


def token(kind: str, number: int) -> str:
    """32 hex digits that look random and differ for each (kind, number)."""
    return f"{(ord(kind) << 64 | number) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}"


def scene_sizes(samples: int) -> list[int]:
    scenes = max(1, samples // SAMPLES_A_SCENE)
    return [samples // scenes + (number < samples % scenes) for number in range(scenes)]


def sample_rows(samples: int) -> Iterator[tuple[int, int, int, bool, bool]]:
    """(sample, scene, time, is first of its scene, is last) of each sample."""
    number = 0
    for scene, size in enumerate(scene_sizes(samples)):
        for step in range(size):
            yield number, scene, 1_532_402_927_000_000 + number * 500_000, step == 0, step == size - 1
            number += 1


def pose(number: int) -> dict[str, list[float]]:
    across, up = number % 1000 / 1007.0, number % 777 / 1009.0
    return {
        "translation": [411.3039245605469 + across, 1180.890380859375 - up, 0.0123456789012345],
        "rotation": [0.5720320374256816 + across, 0.001697776856020025, -0.011798001963230803, 0.8201446658133225],
    }


def samples_table(samples: int) -> Iterator[dict[str, Any]]:
    for number, scene, when, first, last in sample_rows(samples):
        yield {
            "token": token("s", number),
            "timestamp": when,
            "prev": "" if first else token("s", number - 1),
            "next": "" if last else token("s", number + 1),
            "scene_token": token("c", scene),
        }


def sensor_files(samples: int) -> Iterator[dict[str, Any]]:
    stride, sensors = sum(FILES_A_SAMPLE.values()), len(FILES_A_SAMPLE)
    for sample, scene, when, first, last in sample_rows(samples):
        number = sample * stride
        for place, (channel, count) in enumerate(FILES_A_SAMPLE.items()):
            for step in range(count):
                yield sensor_file(number, sample, scene * sensors + place, channel, when + step * 500_000 // count) | {
                    "is_key_frame": step == 0,
                    "prev": before(number, step, count, stride, first),
                    "next": after(number, step, count, stride, last),
                }
                number += 1


def before(number: int, step: int, count: int, stride: int, first: bool) -> str:
    if step:
        return token("d", number - 1)
    return "" if first else token("d", number - stride + count - 1)


def after(number: int, step: int, count: int, stride: int, last: bool) -> str:
    if step < count - 1:
        return token("d", number + 1)
    return "" if last else token("d", number + stride - count + 1)


def sensor_file(number: int, sample: int, calibration: int, channel: str, when: int) -> dict[str, Any]:
    camera = channel.startswith("CAM")
    ending = "jpg" if camera else "pcd.bin"
    return {
        "token": token("d", number),
        "sample_token": token("s", sample),
        "ego_pose_token": token("e", number),
        "calibrated_sensor_token": token("k", calibration),
        "timestamp": when,
        "fileformat": ending[:3],
        "height": 900 if camera else 0,
        "width": 1600 if camera else 0,
        "filename": f"samples/{channel}/n015-2018-07-24-11-22-45+0800__{channel}__{when}.{ending}",
    }


def ego_poses(samples: int) -> Iterator[dict[str, Any]]:
    for number in range(samples * sum(FILES_A_SAMPLE.values())):
        yield {"token": token("e", number), "timestamp": 1_532_402_927_000_000 + number, **pose(number)}


def annotations(samples: int) -> Iterator[dict[str, Any]]:
    """34 boxes a sample and one more every fourth; an object lives for up to 18 samples of one scene."""
    step = -1
    for number, _, _, first, last in sample_rows(samples):
        step = 0 if first else step + 1
        ends = last or step % SAMPLES_A_BOX == SAMPLES_A_BOX - 1
        starts = step % SAMPLES_A_BOX == 0
        for slot in range(BOXES_A_SAMPLE + (step % 4 == 0)):
            alone = slot == BOXES_A_SAMPLE
            yield {
                "token": token("a", number * 64 + slot),
                "sample_token": token("s", number),
                "instance_token": token("i", instance(number, step, slot)),
                "visibility_token": str(1 + slot % 4),
                "attribute_tokens": [token("t", slot % 8)],
                "size": [1.25 + slot / 3, 4.123 + slot / 7, 1.642],
                "prev": "" if alone or starts else token("a", (number - 1) * 64 + slot),
                "next": "" if alone or ends else token("a", (number + 1) * 64 + slot),
                "num_lidar_pts": slot,
                "num_radar_pts": 0,
                **pose(number + slot),
            }


def instance(number: int, step: int, slot: int) -> int:
    return (number - step % SAMPLES_A_BOX) * 64 + slot


def instances(samples: int) -> Iterator[dict[str, Any]]:
    seen = set()
    for row in annotations(samples):
        if row["instance_token"] not in seen:
            seen.add(row["instance_token"])
            yield {"token": row["instance_token"], "category_token": token("g", len(seen) % 23), "nbr_annotations": 1}


def calibrations(samples: int) -> Iterator[dict[str, Any]]:
    K = [[1266.417203046554, 0.0, 816.2670197447984], [0.0, 1266.417203046554, 491.50706579294757], [0.0, 0.0, 1.0]]
    for scene in range(len(scene_sizes(samples))):
        for place, channel in enumerate(FILES_A_SAMPLE):
            number = scene * len(FILES_A_SAMPLE) + place
            intrinsic = K if channel.startswith("CAM") else []
            names = {"token": token("k", number), "sensor_token": token("n", place)}
            yield names | pose(number) | {"camera_intrinsic": intrinsic}


def small_tables(samples: int) -> dict[str, list[dict[str, Any]]]:
    scenes = range(len(scene_sizes(samples)))
    logs = [token("l", scene % 68) for scene in scenes]
    return {
        "scene": [
            {
                "token": token("c", scene),
                "name": f"scene-{scene:04d}",
                "log_token": logs[scene],
                "description": "a, {b}",
            }
            for scene in scenes
        ],
        "sensor": [
            {"token": token("n", place), "channel": name, "modality": ""} for place, name in enumerate(FILES_A_SAMPLE)
        ],
        "category": [{"token": token("g", number), "name": f"vehicle.{number}"} for number in range(23)],
        "attribute": [{"token": token("t", number), "name": f"vehicle.{number}"} for number in range(8)],
        "visibility": [{"token": str(number), "level": f"v{number}"} for number in (1, 2, 3, 4)],
        "log": [{"token": name} for name in sorted(set(logs))],
        "map": [{"token": token("m", 0), "log_tokens": sorted(set(logs)), "filename": "maps/blank.png"}],
    }


def write_table(folder: Path, name: str, rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> int:
    """Write rows one key a line, as the published tables are; the number of rows."""
    count = 0
    with (folder / f"{name}.json").open("w") as file:
        file.write("[")
        for row in rows:
            file.write((",\n" if count else "\n") + json.dumps(row, indent=0))
            count += 1
        file.write("\n]")
    return count


def generate(root: Path, samples: int) -> dict[str, int]:
    folder = root / VERSION
    folder.mkdir(parents=True)
    (root / "maps").mkdir()
    (root / "maps" / "blank.png").write_bytes(b"")
    large: dict[str, Callable[[int], Iterator[dict[str, Any]]]] = {
        "sample": samples_table,
        "sample_data": sensor_files,
        "ego_pose": ego_poses,
        "sample_annotation": annotations,
        "instance": instances,
        "calibrated_sensor": calibrations,
    }
    counts = {name: write_table(folder, name, rows(samples)) for name, rows in large.items()}
    return counts | {name: write_table(folder, name, rows) for name, rows in small_tables(samples).items()}


class StandInRoot:
    """A root whose tables are real and whose sensor files are stood for: one size, and one JPEG header."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open_bytes(self, path: str) -> BinaryIO:
        """A table, or the header that stands for an image."""
        return BytesIO(JPEG_HEADER) if path.endswith(".jpg") else (self.folder / path).open("rb")

    def size(self, path: str) -> int | None:
        """A table's size, or that of a usual sweep."""
        file = self.folder / path
        return 20 * POINTS if path.endswith(".pcd.bin") else file.stat().st_size if file.is_file() else None

    def list_dir(self, path: str) -> list[str]:
        """Names in a folder of the tables."""
        return sorted(item.name for item in (self.folder / path).iterdir())


def run_ours(folder: Path, sweeps: bool) -> dict[str, Any]:
    from nuscenes.utils import splits  # noqa: F401  imported before the clock starts, as the devkit is

    from paintpipe.stages.ingest.reader import IngestOptions, open_dataset

    root = StandInRoot(folder)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    reader = open_dataset("nuscenes", root, IngestOptions(sweeps=sweeps))
    opened = time.perf_counter()
    counts = dict.fromkeys(("frames", "images", "boxes", "rejected"), 0)
    for scene in reader.sequences():
        rows = reader.read(scene, None)
        counts = {name: count + len(getattr(rows, name)) for name, count in counts.items()}
    end, cpu_s = time.perf_counter(), time.process_time() - begin_cpu
    return {"seconds": end - begin, "cpu_s": cpu_s, "open_s": opened - begin, **counts}


def run_devkit(folder: Path) -> dict[str, Any]:
    from nuscenes import NuScenes

    begin, begin_cpu = time.perf_counter(), time.process_time()
    dataset = NuScenes(version=VERSION, dataroot=str(folder), verbose=False)
    end, cpu_s = time.perf_counter(), time.process_time() - begin_cpu
    return {
        "seconds": end - begin,
        "cpu_s": cpu_s,
        "samples": len(dataset.sample),
        "annotations": len(dataset.sample_annotation),
    }


def measure(side: str, folder: Path, sweeps: bool) -> dict[str, Any]:
    """Run one side in a process of its own, so that its peak is its own."""
    command = [sys.executable, __file__, "--folder", str(folder), "--side", side, *(["--sweeps"] if sweeps else [])]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    print(side, json.dumps(result), flush=True)
    return result


def run_side(side: str, folder: Path, sweeps: bool) -> None:
    result = run_ours(folder, sweeps) if side == "ours" else run_devkit(folder)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"peak_gb": round(peak_gb, 3)} | result))


def compare(folder: Path, samples: int, sweeps: bool) -> None:
    if not (folder / VERSION).is_dir():
        print("generating", json.dumps(generate(folder, samples)), flush=True)
    for path in (folder / VERSION).iterdir():
        path.read_bytes()  # both sides find the tables in the page cache
    ours, devkit = measure("ours", folder, sweeps), measure("devkit", folder, sweeps)
    time_ratio, cpu_ratio, peak_ratio = (ours[name] / devkit[name] for name in ("seconds", "cpu_s", "peak_gb"))
    open_ratio = ours["open_s"] / devkit["seconds"]
    print(f"reading the tables {ours['open_s']:.1f} s against {devkit['seconds']:.1f} s: {open_ratio:.3f}")
    print(f"and all catalog rows {ours['seconds']:.1f} s: {time_ratio:.3f} (at most 0.333)")
    print(f"CPU time {ours['cpu_s']:.1f} s against {devkit['cpu_s']:.1f} s: {cpu_ratio:.3f} (on a shared machine)")
    print(f"peak {ours['peak_gb']:.2f} GB against {devkit['peak_gb']:.2f} GB: {peak_ratio:.3f} (at most 0.5)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=TRAINVAL_SAMPLES)
    parser.add_argument("--folder", type=Path, help="keep the tables here and use them again")
    parser.add_argument("--sweeps", action="store_true", help="ours reads the frames between keyframes too")
    parser.add_argument("--side", choices=("ours", "devkit"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        run_side(asked.side, asked.folder, asked.sweeps)
    elif asked.folder:
        compare(asked.folder, asked.samples, asked.sweeps)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), asked.samples, asked.sweeps)


if __name__ == "__main__":
    main()
