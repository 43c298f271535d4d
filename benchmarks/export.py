"""How long an export takes against a plain read of the store and write of the same bytes, target by target.

    python benchmarks/export.py WORKSPACE [WORKSPACE …] [--targets A,B] [--rounds N] [--layer NAME] [--workers N]

For each target that has room for the dataset, in turn and `--rounds` times: `paintpipe export` into a new folder
(mapping, encoding, hashing, syncing, marks, and the self-check that reads every file back), then the plain way, one
thread: every array of the exported frames (and sweeps) read through `paintpipe.open_painted`, and the very files that
the export left written to another folder, unsynced. Both find the store in the page cache. The ratio is of the medians;
it is also told for the processor's time, which other work on the machine hardly moves.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from paintpipe import open_painted
from paintpipe.schemas.errors import ConfigError, TaxonomyError
from paintpipe.schemas.export import ExportSettings
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.export import ExportRequest, ExportResult, export
from paintpipe.workflows.export_targets import load_target, target_names
from paintpipe.workflows.workers import WorkerOptions


@dataclass(frozen=True)
class Times:
    """Seconds of the wall and of the processor."""

    wall_s: float
    cpu_s: float


def timed(work: Callable[[], object]) -> Times:
    """How long a call takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Times(time.perf_counter() - wall, time.process_time() - cpu)


def request_for(workspace: Path, target: str, out: Path, arguments: argparse.Namespace) -> ExportRequest:
    """An export of all that is painted; submissions need a label for every point."""
    name = {"semantickitti": "road", "nuscenes-lidarseg": "driveable_surface"}.get(target, "")
    spread = WorkerOptions(executor="threads", workers=arguments.workers)
    settings = ExportSettings(fill=name)
    return ExportRequest(workspace, target, out, arguments.layer, settings, spread=spread, quiet=True)


def plain(workspace: Path, result: ExportResult, files: dict[str, bytes], keyframes_only: bool, out: Path) -> None:
    """Read every array of the exported frames (with sweeps, every frame), and write the files."""
    catalog, store = open_catalog(workspace / "catalog"), open_painted(workspace)
    for name in store.sequences:
        keys = catalog.column("frames", name, "is_keyframe")
        sweeps = json.loads(files["paintpipe.json"])["settings"]["sweeps"]
        for frame, is_key in zip(store.sequence(name), keys, strict=True):
            if is_key or sweeps or not keyframes_only:
                _ = frame.layer(result.layer), frame.points
    for path, content in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)


def compare(workspace: Path, target: str, arguments: argparse.Namespace) -> None:
    """Print one line."""
    ours, theirs = list[Times](), list[Times]()
    for _ in range(arguments.rounds + 1):  # the first warms up: numba, imports, page cache
        folder = Path(tempfile.mkdtemp(prefix="paintpipe-export-", dir=arguments.folder))
        try:
            done: list[ExportResult] = []
            request = request_for(workspace, target, folder / "export", arguments)
            ours.append(timed(lambda: done.append(export(request))))  # noqa: B023
            files = {
                path.relative_to(folder / "export").as_posix(): path.read_bytes()
                for path in (folder / "export").rglob("*")
                if path.is_file() and "ledger" not in path.parts
            }
            keys = load_target(target).keyframes_only
            theirs.append(timed(lambda: plain(workspace, done[0], files, keys, folder / "plain")))  # noqa: B023
        except (ConfigError, TaxonomyError) as error:
            print(f"| {target} | – | {error.what} |")
            return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    wall = median(t.wall_s for t in ours[1:]), median(t.wall_s for t in theirs[1:])
    cpu = median(t.cpu_s for t in ours[1:]), median(t.cpu_s for t in theirs[1:])
    size_mb = sum(map(len, files.values())) / 1e6
    print(
        f"| {target} | {done[0].frames} | {len(files)} | {size_mb:.1f} | {wall[0]:.2f} | {wall[1]:.2f} "
        f"| {wall[0] / wall[1]:.2f} | {cpu[0] / cpu[1]:.2f} |",
        flush=True,
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspaces", nargs="+", type=Path)
    parser.add_argument("--targets", default=",".join(target_names()))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layer")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--folder", type=Path, help="Where both write.  [default: the system's]")
    arguments = parser.parse_args()
    for workspace in arguments.workspaces:
        print(f"\n{workspace}\n\n| target | frames | files | MB | export s | plain s | ratio | ratio of CPU |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for target in arguments.targets.split(","):
            compare(workspace, target, arguments)


if __name__ == "__main__":
    main()
