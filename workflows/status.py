"""`paintpipe status`: how far each layer is and who works here, told without disturbing the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paintpipe.pipeline.faults import format_bytes
from paintpipe.pipeline.heartbeat import read_heartbeat, seconds_old
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.pipeline.progress import format_seconds
from paintpipe.pipeline.report import last_report
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import WorkspaceError
from paintpipe.schemas.settings import StoreFormat
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.counted import counted
from paintpipe.workflows.done import TargetDone, targets_done
from paintpipe.workflows.stores import existing_store
from paintpipe.workflows.unlock import find_locks

FORMATS: tuple[StoreFormat, ...] = ("zarr", "parquet")


@dataclass(frozen=True)
class Status:
    """What is known of a workspace.

    Attributes:
        workspace: its folder.
        dataset: name of the dataset.
        frames: of the catalog.
        sequences: of the catalog.
        targets: points and layers, by format of the store, with what of them is done.
        owner: who holds the lock, None where nobody does.
        gone: whether the owner is a process that was killed.
        now: what the run that works says of itself, None where none works or it has said nothing yet.
        last: report of the last run that ended, None where there was none.
    """

    workspace: Path
    dataset: str
    frames: int
    sequences: int
    targets: list[TargetDone]
    owner: Owner | None
    gone: bool
    now: dict[str, Any] | None
    last: dict[str, Any] | None

    def text(self) -> str:
        """What the command prints."""
        head = f"{self.dataset}: {counted(self.frames, 'frame')} in {counted(self.sequences, 'sequence')}"
        return "\n".join([head, *_table(self.targets), *_working(self), *_last(self.last)])

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        owner = None if self.owner is None else vars(self.owner) | {"gone": self.gone}
        return {
            "workspace": self.workspace,
            "dataset": self.dataset,
            "frames": self.frames,
            "sequences": self.sequences,
            "layers": [target.to_json() for target in self.targets],
            "lock": owner,
            "running": self.now,
            "last_run": self.last,
        }


def status(path: Path) -> Status:
    """How far a workspace is; takes no lock, so that it may be asked at any time.

    Raises:
        WorkspaceError: no catalog.
    """
    workspace = Workspace(path)
    catalog = open_catalog(workspace.catalog)
    owner = next((found.owner for found in find_locks(workspace) if found.owner), None)
    now = read_heartbeat(workspace.runs)
    # The file may be an older run's on another host, which cannot be asked whether it still works.
    now = now if owner is not None and now is not None and owner.is_same_process(Owner.of(now["owner"])) else None
    return Status(
        workspace=path.resolve(),
        dataset=f"{catalog.info.dataset} {catalog.info.version}".strip(),
        frames=catalog.info.counts["frames"],
        sequences=catalog.info.counts["sequences"],
        targets=_targets(path, catalog),
        owner=owner,
        gone=owner is not None and owner.is_gone(),
        now=now,
        last=last_report(workspace.runs),
    )


def _targets(path: Path, catalog: Catalog) -> list[TargetDone]:
    found: list[TargetDone] = []
    for kind in FORMATS:
        try:
            opened = existing_store(path, kind)
        except WorkspaceError:
            continue  # nothing painted in this format
        found += targets_done(opened, catalog.frame_counts())
    return found


def _table(targets: list[TargetDone]) -> list[str]:
    if not targets:
        return ["nothing is painted yet"]
    rows = [
        (
            target.target.removeprefix("layers/") + ("" if target.store_format == "zarr" else " (parquet)"),
            f"{target.frames:,} of {counted(target.all_frames, 'frame')}",
            f"{target.shards:,} of {counted(target.all_shards, 'shard')}",
            ("" if target.exact else "about ") + format_bytes(target.num_bytes),
        )
        for target in targets
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _working(found: Status) -> list[str]:
    if found.owner is None:
        return ["no run works here now"]
    who = f"process {found.owner.pid} on {found.owner.host} since {found.owner.started_at}"
    if found.gone:
        return [f"no run works here now; the last one was killed ({who}), the next one takes over from it"]
    if found.now is None:
        return [f"at work: {who}, which has begun no shard yet"]
    now = found.now
    unit = "frames" if now["planned"]["frames"] else "shards"  # of ingest, whose shards are sequences
    parts = [f"{now['done'][unit]:,} of {counted(now['planned'][unit], unit[:-1])}"]
    parts += [f"{now['frames_per_s']:.3g} frames/s"] if unit == "frames" else []
    parts += [f"slowest stage {now['slowest_stage']}"] if now["slowest_stage"] else []
    parts += [f"{now['num_rejected']:,} rejected"] if now["num_rejected"] else []
    parts += [f"{now['attempts_lost']:,} workers lost"] if now["attempts_lost"] else []
    parts += [] if now["left_s"] is None else [f"about {format_seconds(now['left_s'])} left"]
    age_s = seconds_old(now)
    silent = f" (its last sign of life is {format_seconds(age_s)} old)" if age_s > 60 else ""
    return [f"at work: {now['command']}, {who}{silent}", "  " + ", ".join(parts)]


def _last(report: dict[str, Any] | None) -> list[str]:
    if report is None:
        return []
    frames = report["counts"].get("frames", 0)
    parts = [f"{counted(frames, 'frame')} in {format_seconds(report['wall_s'])}"]
    parts += [f"{report['frames_per_s']:.3g} frames/s", f"slowest stage {report['slowest_stage']}"] if frames else []
    parts += [f"{report['num_rejected']:,} rejected"] if report.get("num_rejected") else []
    head = f"last run that ended: {report['command']}, begun {report['started_at']}"
    return [head, "  " + ", ".join(parts), *([f"  it failed: {report['error']}"] if report["error"] else [])]
