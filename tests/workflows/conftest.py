"""A synthetic drive and a synthetic scene that all tests of this room share; nobody writes into them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import succeed

from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_nuscenes, write_semantickitti


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames in SemanticKITTI's layout."""
    root = tmp_path_factory.mktemp("synthetic") / "drive"
    write_semantickitti(root, SynthSettings(seed=3, frames=5))
    return root


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One keyframe with six cameras in nuScenes' layout, and the sweeps before it."""
    root = tmp_path_factory.mktemp("synthetic") / "scene"
    write_nuscenes(root, SynthSettings(seed=4, keyframes=1, image_size_px=(112, 208), azimuths=360))
    return root


@pytest.fixture(scope="session")
def sweeps_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training scene of two keyframes in nuScenes' layout, all its sweeps, and images of a few pixels."""
    root = tmp_path_factory.mktemp("synthetic") / "sweeps"
    tiny = SynthSettings(seed=4, sequences=("scene-0061",), keyframes=2, image_size_px=(16, 32), beams=16, azimuths=120)
    write_nuscenes(root, tiny)
    return root


@pytest.fixture(scope="session")
def sweeps_workspace(sweeps_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with that scene's sweeps painted from exact masks, eight frames a shard; nobody paints there."""
    workspace = tmp_path_factory.mktemp("workspaces") / "sweeps"
    succeed("ingest", "nuscenes", sweeps_scene, "--sweeps", "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--from-masks", sweeps_scene / "masks", "--frames-per-shard", 8, "-q")
    return workspace


@pytest.fixture(scope="session")
def ingested(drive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the drive's catalog, to be copied."""
    workspace = tmp_path_factory.mktemp("workspaces") / "drive"
    succeed("ingest", "semantickitti", drive, "-w", workspace, "-q")
    return workspace


@pytest.fixture
def workspace(ingested: Path, tmp_path: Path) -> Path:
    """A fresh workspace with the drive's catalog."""
    return Path(shutil.copytree(ingested, tmp_path / "workspace"))


@pytest.fixture
def paint_masks(drive: Path) -> Callable[..., str]:
    """Paint a workspace of the drive from its exact masks; extra options may follow."""

    def paint(workspace: Path, *options: object) -> str:
        return succeed("paint", "-w", workspace, "--from-masks", drive / "masks", "-q", *options)

    return paint
