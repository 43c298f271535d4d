"""`paintpipe check-calibration`: is the projection right? Depth jumps against image edges, camera by camera."""

import re
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from paintpipe.pipeline.events import Bus, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.monitor import ended, listened
from paintpipe.pipeline.publish import publish_file
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.tables import to_markdown, write_csv, write_parquet, write_text
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import printable
from paintpipe.stages.evaluate.alignment.estimate import CameraEstimate, estimate
from paintpipe.stages.evaluate.alignment.offsets import Grid
from paintpipe.stages.evaluate.alignment.tables import curves_table, estimates_table
from paintpipe.stages.evaluate.alignment.together import ALL_TOGETHER, estimate_together
from paintpipe.stages.evaluate.alignment.verdict import Verdict, judge
from paintpipe.stages.view.calibration_chart import calibration_chart
from paintpipe.stages.view.encode import encode_png
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.check_calibration_frames import chosen_tasks, shifts_of
from paintpipe.workflows.check_calibration_job import Angles, CheckJob, CheckTask, FrameScores, Shifts
from paintpipe.workflows.paint_inputs import ALL_CAMERAS, paint_cameras
from paintpipe.workflows.terms import Terms, library_versions, some_file_sizes
from paintpipe.workflows.workers import WorkerOptions, elsewhere, executor_settings

_FILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
TABLE, CURVES = "calibration-check", "calibration-curves"


@dataclass(frozen=True)
class CheckRequest:
    """What to look at; the fields are the options of `paintpipe check-calibration`."""

    workspace: Path
    cameras: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    limit: int = 30
    max_angle: float = 1.0
    rotate: Angles = (0.0, 0.0, 0.0)
    rotate_lidar: Angles = (0.0, 0.0, 0.0)
    shift_ms: float = 0.0
    spread: WorkerOptions = field(default_factory=WorkerOptions)
    quiet: bool = False
    log_json: Path | None = None


@dataclass(frozen=True)
class CheckResult:
    """What was found.

    Attributes:
        found: a camera each and all together, with the verdict on it.
        table: the same, a row each.
        curves: score by offset.
        rejected: what could not be read.
        frames: looked at.
        figures: files.
        folder: where the tables lie.
    """

    found: list[tuple[CameraEstimate, Verdict]]
    table: pa.Table
    curves: pa.Table
    rejected: list[RejectedRow]
    frames: int
    figures: list[Path]
    folder: Path

    @property
    def off(self) -> bool:
        """Whether some camera looks off, or all together do."""
        return any(verdict.state == "off" for _, verdict in self.found)

    def text(self) -> str:
        """What the command prints."""
        shown = self.table.drop_columns(["score_at_zero", "score_at_best", "chance", "jumps", "words"])
        lines = [to_markdown(shown, 2)]
        lines += [printable(f"{found.camera}: {verdict.words}") for found, verdict in self.found]
        lines += [printable(f"left out: {row.reason}") for row in self.rejected]
        lines += [f"tables: {self.folder}", *(f"figure: {path}" for path in self.figures)]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "folder": self.folder,
            "frames": self.frames,
            "tables": {TABLE: self.table.to_pylist(), CURVES: self.curves.to_pylist()},
            "figures": self.figures,
            "num_rejected": len(self.rejected),
            "rejected": [{"path": row.path, "stage": row.stage, "reason": row.reason} for row in self.rejected],
        }


def check_calibration(request: CheckRequest) -> CheckResult:
    """Judge the projection of each camera; write tables and figures.

    Raises:
        WorkspaceError: no catalog, or no image to look at.
        ConfigError: a camera or sequence that the catalog lacks, or options that can't be met.
    """
    workspace = Workspace(request.workspace)
    catalog = open_catalog(workspace.catalog)
    cameras = paint_cameras(catalog, request.cameras or ALL_CAMERAS)
    tasks = chosen_tasks(catalog, cameras, request.sequences, request.limit)
    grid, shifts = Grid(request.max_angle), shifts_of(tasks, request.shift_ms)
    log = listened(workspace.runs, quiet=request.quiet, log_json=request.log_json)
    with workspace_lock(workspace.ledger), log as bus:
        workspace.clean_staging()
        done = _scores(request, workspace, catalog, cameras, tasks, shifts, bus)
        found = _judged(cameras, [scores for _, scores in done], grid, shifts)
        table, curves = estimates_table(found), curves_table([one for one, _ in found])
        rejected = sorted({row.path: row for _, scores in done for row in scores.rejected}.values(), key=str)
        for name, rows in ((TABLE, table), (CURVES, curves)):
            write_parquet(workspace.tables / f"{name}.parquet", rows)
            write_csv(workspace.tables / f"{name}.csv", rows)
        write_text(workspace.tables / f"{TABLE}.md", to_markdown(table))
        figures = _figures(workspace.figures, found)
    return CheckResult(found, table, curves, rejected, len(tasks), figures, workspace.tables)


def _judged(
    cameras: tuple[str, ...], done: list[FrameScores], grid: Grid, shifts: Shifts
) -> list[tuple[CameraEstimate, Verdict]]:
    """Each camera, then all together where there are several."""
    own = {camera: [one.scores[camera] for one in done if camera in one.scores] for camera in cameras}
    found = [estimate(camera, views, grid, shifts.values, shifts.unit) for camera, views in own.items()]
    judged = [(one, judge(one, grid)) for one in found]
    shared = {camera: [one.together[camera] for one in done if camera in one.together] for camera in cameras}
    together = estimate_together(shared, grid.of_lidar, shifts.values, shifts.unit)
    return judged if together is None else [*judged, (together, judge(together, grid, "the LiDAR"))]


def _scores(
    request: CheckRequest,
    workspace: Workspace,
    catalog: Catalog,
    cameras: tuple[str, ...],
    tasks: list[CheckTask],
    shifts: Shifts,
    bus: Bus,
) -> list[tuple[CheckTask, FrameScores]]:
    """Each frame's scores, in the order of the frames: sums of floats depend on it."""
    root = open_root(catalog.info.root)
    terms = Terms(some_file_sizes(catalog, root) if elsewhere(request.spread) else {}, libraries=library_versions())
    job = CheckJob(
        root=root,
        ledger=Ledger(workspace.ledger),
        cameras=cameras,
        grid=Grid(request.max_angle),
        shifts=shifts,
        turn_deg=request.rotate,
        lidar_turn_deg=request.rotate_lidar,
        shift_us=1000.0 * request.shift_ms,
        terms=terms,
    )
    bus.emit(RunStarted("check-calibration", len(tasks), len(tasks)))
    spread = executor_settings(request.spread, threads=1)
    with ended(bus), closing(executor(spread).run(tasks, job, bus.emit)) as results:
        done = list(results)
    return sorted(done, key=lambda pair: (pair[0].sequence, pair[0].index))


def _figures(folder: Path, found: list[tuple[CameraEstimate, Verdict]]) -> list[Path]:
    """A picture of the curves of each camera that has any."""
    paths: dict[Path, None] = {}
    for number, (one, verdict) in enumerate(found):
        if one.yaw is None:
            continue
        path = folder / f"{TABLE}-{_file_name(one.camera, number)}.png"
        if path in paths:
            path = folder / f"{TABLE}-{number}.png"
        publish_file(path, encode_png(calibration_chart(one, f"{one.camera}: {verdict.words}")))
        paths[path] = None
    return list(paths)


def _file_name(camera: str, number: int) -> str:
    """A camera's name need not be fit for a file."""
    name = "all-cameras" if camera == ALL_TOGETHER else camera
    return name if _FILE_NAME.fullmatch(name) else f"camera-{number}"
