"""`paintpipe synth`: synthetic drives with exact labels."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from paintpipe.pipeline.events import Bus, FrameDone, RunEnded, RunStarted
from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.progress import ProgressBar
from paintpipe.pipeline.store import check_name
from paintpipe.schemas.errors import PaintpipeError
from paintpipe.stages.synth.settings import Layout, SynthSettings
from paintpipe.stages.synth.write import write_nuscenes, write_semantickitti


def synth(
    root: Path,
    layout: Layout = "semantickitti",
    seed: int = 7,
    frames: int | None = None,
    sequences: tuple[str, ...] = (),
    quiet: bool = False,
) -> str:
    """Write a synthetic dataset; the same arguments give the same bytes.

    Args:
        root: a new or empty folder, or a synthetic dataset to write anew.
        layout: whose file formats.
        seed: of everything.
        frames: a sequence (nuScenes: keyframes), None for the default.
        sequences: names, () for the layout's default.
        quiet: no progress bar.

    Raises:
        ConfigError: the folder holds something else, or a name can't name a folder in it.
        StoreError: the folder can't be written.
    """
    for name in sequences:
        check_name(name, "sequence")
    settings = SynthSettings(seed=seed, sequences=sequences)
    if frames is not None:
        settings = replace(settings, frames=frames, keyframes=frames)
    write = write_semantickitti if layout == "semantickitti" else write_nuscenes
    bus = Bus()
    bus.subscribe(ProgressBar(quiet=quiet, unit="item"))
    try:
        write(root, settings, _progress(bus, layout))
    except OSError as error:
        if isinstance(error, PaintpipeError):
            raise
        raise write_error(error, root) from error
    bus.emit(RunEnded())
    lines = [f"wrote {root} in {layout}'s layout; exact class maps of its images lie in {root / 'masks'}"]
    return "\n".join([*lines, f"next: paintpipe ingest {layout} {root} --workspace NEW_FOLDER"])


def _progress(bus: Bus, layout: str) -> Callable[[int, int], None]:
    def on_item(done: int, total: int) -> None:
        if done == 1:
            bus.emit(RunStarted(f"synth {layout}", total, 1))
        bus.emit(FrameDone(layout, done))

    return on_item
