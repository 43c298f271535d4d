"""Writes whole synthetic datasets: the way in for workflows."""

from collections.abc import Callable
from pathlib import Path

from paintpipe.stages.synth.files import begin, finish
from paintpipe.stages.synth.nuscenes import write_scenes
from paintpipe.stages.synth.semantickitti import write_sequences
from paintpipe.stages.synth.settings import SynthSettings

OnFrame = Callable[[int, int], None]


def write_semantickitti(root: Path, settings: SynthSettings, on_frame: OnFrame | None = None) -> None:
    """Synthetic drives in SemanticKITTI's layout, with exact class maps of the images under `masks/`.

    Args:
        root: a new or empty folder, or one that holds a synthetic dataset, which is overwritten.
        settings: how much, and from which seed.
        on_frame: called after each frame with the number done and the number in all.

    Raises:
        ConfigError: the folder holds something else.
        StoreError: a file can't be written.
    """
    begin(root)
    write_sequences(root, settings, on_frame)
    finish(root, "semantickitti", settings)


def write_nuscenes(root: Path, settings: SynthSettings, on_frame: OnFrame | None = None) -> None:
    """Synthetic scenes in nuScenes' layout (`v1.0-mini`), with exact class maps of the images under `masks/`.

    Args and errors as `write_semantickitti`; `on_frame` counts sweeps and images.
    """
    begin(root)
    write_scenes(root, settings, on_frame)
    finish(root, "nuscenes", settings)
