"""One frame for `check-calibration`, as a job for executors: a frame's rows in, the scores of its images out."""

from collections.abc import Callable
from dataclasses import dataclass

from paintpipe.pipeline.events import FrameDone, FrameRejected
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.ledger import Ledger
from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.catalog import FrameRow, ImageRow, RejectedRow
from paintpipe.schemas.source import Root
from paintpipe.stages.evaluate.alignment.jumps import DepthJumps, depth_jumps
from paintpipe.stages.evaluate.alignment.motion import then_SE3_now
from paintpipe.stages.evaluate.alignment.offsets import Grid, turned
from paintpipe.stages.evaluate.alignment.scores import Looked, ViewScores, edges_of, score_view
from paintpipe.stages.evaluate.alignment.turns import CameraTurns, LidarTurns, front_R_lidar, lidar_turned
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.terms import Terms

Angles = tuple[float, float, float]


@dataclass(frozen=True)
class CheckTask:
    """One frame, and the catalog's rows of it and of its neighbours."""

    catalog: Catalog
    sequence: str
    index: int
    start: int
    stop: int

    def __str__(self) -> str:
        return f"{self.sequence}, frame {self.index}"


@dataclass(frozen=True)
class Shifts:
    """The shifts in time that are tried; none where `values` is empty.

    Attributes:
        unit: `ms` (the car's motion tells where the LiDAR was) or `frames` (images are held against other sweeps).
        values: in that unit, rising, 0 among them.
    """

    unit: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class FrameScores:
    """What one frame says.

    Attributes:
        scores: by camera, each turned about its own centre.
        together: by camera, the LiDAR turned under all of them; {} where only one camera is looked at.
        rejected: what could not be read.
    """

    scores: dict[str, ViewScores]
    together: dict[str, ViewScores]
    rejected: tuple[RejectedRow, ...]


@dataclass(frozen=True)
class CheckJob:
    """Scoring frames, in this process or another.

    Attributes:
        root: of the dataset.
        ledger: of the workspace.
        cameras: to look at.
        grid: rotations that are tried.
        shifts: shifts in time that are tried.
        turn_deg: every projection is turned so about its camera before it is judged.
        lidar_turn_deg: and so about the LiDAR.
        shift_us: images count as taken so much later than told.
        terms: what a worker elsewhere must share.
    """

    root: Root
    ledger: Ledger
    cameras: tuple[str, ...]
    grid: Grid
    shifts: Shifts
    turn_deg: Angles
    lidar_turn_deg: Angles
    shift_us: float
    terms: Terms

    def setup(self, emit: Emit) -> Callable[[CheckTask], FrameScores]:
        """See `Job.setup`. Raises WorkerMismatchError."""
        self.terms.check(self.root, self.ledger, emit)

        def check(task: CheckTask) -> FrameScores:
            result = _Frame(self, task).scores()
            for row in result.rejected:
                emit(FrameRejected(task.sequence, str(task.index), row.reason))
            emit(FrameDone(task.sequence, task.index))
            return result

        return check


class _Frame:
    """A frame while it is looked at; the jumps of each sweep are found once."""

    def __init__(self, job: CheckJob, task: CheckTask) -> None:
        self._job, self._files = job, FrameFiles(job.root)
        self._rows = {row.index: row for row in task.catalog.frames(task.sequence, task.start, task.stop)}
        self._now = self._rows[task.index]
        images = task.catalog.images(task.sequence, task.index, task.index + 1)
        self._images = [row for row in images if row.camera in job.cameras]
        self._front = front_R_lidar(self._now.ego_SE3_lidar)
        self._jumps: dict[int, DepthJumps | None] = {}

    def scores(self) -> FrameScores:
        """The scores of every image that can be used."""
        own, found, together = self._jumps_of(self._now.index), dict[str, ViewScores](), dict[str, ViewScores]()
        for image in self._images if own is not None else []:
            pixels = self._files.image(image)
            if pixels is None or own is None:
                continue
            looked, grid = Looked(own, self._projection(image)), self._job.grid
            edges, shifted = edges_of(pixels, image.K, grid, own.spacing_rad), self._shifted(looked)
            found[image.camera] = score_view(edges, looked, CameraTurns(image.K), grid, shifted)
            if len(self._job.cameras) > 1:
                together[image.camera] = score_view(edges, looked, LidarTurns(self._front), grid.of_lidar, shifted)
        return FrameScores(found, together, tuple(self._files.rejected))

    def _projection(self, image: ImageRow) -> Float64:
        """(3, 4) as the catalog has it, with what the user wants added to it."""
        matrix = turned(image.image_from_lidar, image.K, self._job.turn_deg)
        matrix = lidar_turned(matrix, self._front, self._job.lidar_turn_deg)
        moved = self._moved(self._job.shift_us) if self._job.shift_us else None
        return matrix if moved is None else matrix @ moved

    def _shifted(self, own: Looked) -> dict[float, Looked]:
        """What the image is held against at each shift; {} where one of them can't be tried."""
        found: dict[float, Looked] = {}
        for shift in self._job.shifts.values:
            looked = self._looked(own, shift)
            if looked is None:
                return {}
            found[shift] = looked
        return found

    def _looked(self, own: Looked, shift: float) -> Looked | None:
        if self._job.shifts.unit == "frames":
            jumps = self._jumps_of(self._now.index + int(shift))
            return None if jumps is None else Looked(jumps, own.image_from_lidar)
        moved = self._moved(1000.0 * shift)
        return None if moved is None else Looked(own.jumps, own.image_from_lidar @ moved)

    def _moved(self, shift_us: float) -> Float64 | None:
        before, after = (self._rows.get(self._now.index + side) for side in (-1, 1))
        return then_SE3_now(self._now, before, after, shift_us)

    def _jumps_of(self, index: int) -> DepthJumps | None:
        if index not in self._jumps:
            row: FrameRow | None = self._rows.get(index)
            points = None if row is None else self._files.points(row)
            self._jumps[index] = None if points is None or row is None else depth_jumps(points, row.point_features)
        return self._jumps[index]
