"""Which frames `check-calibration` looks at, and which shifts in time they allow."""

from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.stages.evaluate.alignment.motion import motion_known
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.check_calibration_job import CheckTask, Shifts

REACH = 2
"""Sweeps to either side that an image is held against where nothing is known of times or poses."""
SHIFTS_MS = tuple(float(shift) for shift in range(-200, 201, 20))


def chosen_tasks(catalog: Catalog, cameras: tuple[str, ...], sequences: tuple[str, ...], limit: int) -> list[CheckTask]:
    """Up to `limit` frames, spread evenly over the keyframes of the sequences that have an image.

    Raises:
        ConfigError: a sequence that the catalog lacks.
        WorkspaceError: there is no such frame.
    """
    counts = catalog.frame_counts()
    unknown = [name for name in sequences if name not in counts]
    if unknown:
        expected = "some of " + ", ".join(catalog.sequences)
        raise ConfigError(f"no sequence {unknown[0]!r} in the catalog", expected=expected)
    places = [(name, index) for name in sequences or catalog.sequences for index in _keyframes(catalog, name, cameras)]
    if not places:
        what = f"no frame has an image of {', '.join(cameras) or 'any camera'}"
        raise WorkspaceError(what, todo="see catalog/rejected.parquet for what ingest left out")
    step = max(1.0, len(places) / limit)
    chosen = [places[int((number + 0.5) * step)] for number in range(min(limit, len(places)))]
    return [_task(catalog, name, index, counts[name]) for name, index in chosen]


def _keyframes(catalog: Catalog, sequence: str, cameras: tuple[str, ...]) -> list[int]:
    """Frames that have an image of one of the cameras; of a sequence with keyframes, those alone."""
    columns = [catalog.column("images", sequence, name) for name in ("index", "camera")]
    seen = {index for index, camera in zip(*columns, strict=True) if camera in cameras}
    keyframes = catalog.column("frames", sequence, "is_keyframe")
    return [index for index, key in enumerate(keyframes) if index in seen and (key or not any(keyframes))]


def _task(catalog: Catalog, sequence: str, index: int, count: int) -> CheckTask:
    start, stop = max(0, index - REACH), min(count, index + REACH + 1)
    return CheckTask(catalog.part(sequence, start, stop), sequence, index, start, stop)


def shifts_of(tasks: list[CheckTask], shift_ms: float) -> Shifts:
    """By the car's motion where each frame and a neighbour have time and pose, else by other sweeps where there are.

    Raises:
        ConfigError: a shift in milliseconds is asked for, and nothing is known of the motion.
    """
    if all(_moves(task) for task in tasks):
        return Shifts("ms", SHIFTS_MS)
    if shift_ms:
        what = "--shift-ms needs the time and pose of every frame and of a neighbour"
        raise ConfigError(what, todo="leave it out: images are held against neighbouring sweeps")
    reach = max(min(task.index - task.start, task.stop - 1 - task.index) for task in tasks)
    return Shifts("frames", tuple(float(shift) for shift in range(-reach, reach + 1)) if reach else ())


def _moves(task: CheckTask) -> bool:
    rows = {row.index: row for row in task.catalog.frames(task.sequence, task.start, task.stop)}
    return any(motion_known(rows[task.index], rows.get(task.index + side)) for side in (-1, 1))
