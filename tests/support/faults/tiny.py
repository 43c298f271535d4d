"""A drive of a few hundred points, its workspace, and what must hold of a workspace after any fault."""

import os
import shutil
from pathlib import Path

from support.command import content, paintpipe, succeed
from support.faults import truth
from support.faults.forks import in_child

from paintpipe.pipeline.publish import find_partial
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_semantickitti

FRAMES = 4


def drive(folder: Path) -> Path:
    """Four frames in SemanticKITTI's layout, written once."""
    root = folder / "drive"
    if not root.exists():
        write_semantickitti(root, SynthSettings(seed=3, frames=FRAMES, image_size_px=(64, 192), beams=8, azimuths=90))
    return root


def long_folder(folder: Path, frames: int = 40) -> Path:
    """A folder whose `drive` holds the same four frames again and again: a run that takes a second or two."""
    place = folder / "long"
    if not place.exists():
        root = Path(shutil.copytree(drive(folder), place / "drive"))
        (sequence,) = (root / "sequences").iterdir()
        for path in sorted(sequence.glob("*/*.*")):
            for again in range(int(path.stem) + FRAMES, frames, FRAMES):
                os.link(path, path.with_name(f"{again:06d}{path.suffix}"))
        for name in ("poses.txt", "times.txt"):
            lines = (sequence / name).read_text().splitlines()
            (sequence / name).write_text("".join(f"{lines[index % FRAMES]}\n" for index in range(frames)))
    return place


def ingested(folder: Path) -> Path:
    """A workspace with the drive's catalog, made once, to be copied."""
    workspace = folder / "ingested"
    if not workspace.exists():
        succeed("ingest", "semantickitti", drive(folder), "-w", workspace, "-q")
    return workspace


def fresh_workspace(folder: Path, name: str) -> Path:
    """A copy of the ingested workspace."""
    return Path(shutil.copytree(ingested(folder), folder / name))


def paint_words(workspace: Path, executor: str = "serial") -> tuple[object, ...]:
    """The command that paints the ground truth, a shard a frame."""
    return ("paint", "-w", workspace, "--oracle", "-q", "--frames-per-shard", 1, "--executor", executor)


def paint(workspace: Path, executor: str = "serial") -> None:
    """Paint; in the server of faults no sync waits for the disk (see there)."""
    succeed(*paint_words(workspace, executor))


def reference(folder: Path) -> dict[str, bytes]:
    """The bytes of an uninterrupted run, made once."""
    ingested(folder)
    workspace = folder / "reference"
    if not workspace.exists():
        in_child(lambda: paint(fresh_workspace(folder, "reference"))).or_raise()
    return state(workspace)


def state(workspace: Path) -> dict[str, bytes]:
    """All bytes of store and marks."""
    return content(workspace / "painted.zarr", workspace / "ledger")


def false_marks(workspace: Path) -> list[str]:
    """What marks vouch for and is not so."""
    return truth.false_marks(workspace / "painted.zarr", workspace / "ledger")


def marks(workspace: Path) -> int:
    """How many shards are marked."""
    return len(truth.marks(workspace / "ledger"))


def faults_left(workspace: Path, whole: dict[str, bytes]) -> list[str]:
    """What is not as after an uninterrupted run: bytes, leftovers, a lock, or what `verify` says."""
    now = state(workspace)
    wrong = [f"differs: {name}" for name in sorted(now.keys() | whole.keys()) if now.get(name) != whole.get(name)]
    wrong += [f"left over: {path}" for path in find_partial(workspace)]
    wrong += ["the lock is left"] if (workspace / "ledger" / "lock").exists() else []
    verified = paintpipe("verify", "-w", workspace, "-q")
    return wrong + ([verified.out + verified.err] if verified.code else [])
