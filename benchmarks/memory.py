"""Whether peak memory grows with the number of frames.

    python benchmarks/memory.py                     # 200 frames against 2,000, every command
    python benchmarks/memory.py --few 100 --many 5000 --runs "paint --executor serial"

Runs each command on few and on many synthetic frames, in a process of its own, and compares the peaks of resident
memory, read from /proc meanwhile: of the command itself, and of the largest of its worker processes where it has any.
The frames are a few over and over as hard links, with small images and point clouds, in sequences of one length: what
grows by the frame shows, and what a frame itself takes does not hide it. Linux only.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_semantickitti

LIMIT = 0.10
DISTINCT = 4
RUNS = (
    "ingest semantickitti DATASET",
    "paint --executor serial",
    "paint --executor threads",
    "paint --executor processes --workers 2 --overwrite",
    "evaluate",
    "verify",
)
COMMAND = [sys.executable, "-c", "from paintpipe.cli import main; main()"]


@dataclass(frozen=True)
class Peaks:
    """Peak resident memory in MB; of workers that of the largest, 0 where there are none."""

    command_mb: float
    worker_mb: float


def write_drives(root: Path, frames: int, length: int) -> None:
    """Drives of `length` frames that are `DISTINCT` real files each, under as many names as there are frames."""
    small = SynthSettings(sequences=("00",), frames=DISTINCT, image_size_px=(64, 224), beams=16, azimuths=360)
    write_semantickitti(root, small)
    first = root / "sequences" / "00"
    poses = (first / "poses.txt").read_text().splitlines()
    for number, start in enumerate(range(0, frames, length)):
        folder, count = first.with_name(f"{number:02d}"), min(length, frames - start)
        for kind, suffix in (("velodyne", "bin"), ("labels", "label"), ("image_2", "png")):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for index in range(0 if number else DISTINCT, count):
                source = first / kind / f"{index % DISTINCT:06d}.{suffix}"
                os.link(source, folder / kind / f"{index:06d}.{suffix}")
        (folder / "calib.txt").write_bytes((first / "calib.txt").read_bytes())
        (folder / "poses.txt").write_text("\n".join(poses[index % DISTINCT] for index in range(count)) + "\n")
        (folder / "times.txt").write_text("\n".join(f"{0.1 * index:.6e}" for index in range(count)) + "\n")


def peaks(words: list[str]) -> Peaks:
    """Of one command, which must succeed.

    The kernel's own account, `ru_maxrss`, is of no use: it begins with what the process that started this one had.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen([*COMMAND, *words], env=environment, stdout=subprocess.DEVNULL) as running:
        command_kb = worker_kb = 0
        while running.poll() is None:
            command_kb = max(command_kb, peak_kb(running.pid))
            worker_kb = max([worker_kb, *map(peak_kb, children(running.pid))])
            time.sleep(0.02)
    if running.returncode:
        raise SystemExit(f"paintpipe {' '.join(words)}: exit code {running.returncode}")
    return Peaks(command_kb / 1000, worker_kb / 1000)


def children(pid: int) -> Iterator[int]:
    """All processes below one; those that have not begun yet share the memory, and the name, of the one above."""
    for child in (int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in read(path).split()):
        if read(Path(f"/proc/{child}/cmdline")) != read(Path(f"/proc/{pid}/cmdline")):
            yield child
            yield from children(child)


def peak_kb(pid: int) -> int:
    """The most that a process has had resident so far, 0 where it has ended."""
    lines = read(Path(f"/proc/{pid}/status")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def read(path: Path) -> str:
    """A file of /proc, "" where its process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def measure(runs: list[str], frames: int, length: int, folder: Path) -> list[Peaks]:
    """Each command in turn, in one workspace."""
    dataset, workspace = folder / f"drive{frames}", folder / f"workspace{frames}"
    write_drives(dataset, frames, length)
    subprocess.run([*COMMAND, "ingest", "semantickitti", str(dataset), "-w", str(workspace), "-q"], check=True)
    found = []
    for number, run in enumerate(runs):
        words = [str(dataset) if word == "DATASET" else word for word in shlex.split(run)]
        layer = ["--layer", f"run{number}"] if words[0] == "paint" else []
        found.append(peaks([*words, *layer, "-w", str(workspace), "-q"]))
        print(f"{frames} frames, {run}: {found[-1]}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=200)
    parser.add_argument("--many", type=int, default=2000)
    parser.add_argument("--length", type=int, default=200, help="frames of a sequence")
    parser.add_argument("--runs", nargs="+", default=list(RUNS), metavar="COMMAND")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few = measure(arguments.runs, arguments.few, arguments.length, Path(folder))
        many = measure(arguments.runs, arguments.many, arguments.length, Path(folder))
    print(f"| command | process | {arguments.few} frames, MB | {arguments.many} frames, MB | grown |")
    print("| --- | --- | ---: | ---: | ---: |")
    worst = 0.0
    for run, one, other in zip(arguments.runs, few, many, strict=True):
        for name in ("command", "worker"):
            before, after = (getattr(each, f"{name}_mb") for each in (one, other))
            if before > 20:  # helpers that live for an instant, such as uname, are no workers
                worst = max(worst, after / before - 1)
                print(f"| `{run}` | {name} | {before:.0f} | {after:.0f} | {after / before - 1:+.1%} |")
    print(f"\nlargest growth {worst:+.1%} (asked for: at most {LIMIT:.0%})")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()
