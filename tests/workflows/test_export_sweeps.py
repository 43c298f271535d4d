"""Sweeps from `ingest --sweeps` over painting to keyframes: which images, each segmented once, read once a shard."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support.command import succeed

from paintpipe.schemas.catalog import FrameRow
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.export_sweeps import SweepLoader, first_frame_needed, missing_sweeps_hint
from paintpipe.workflows.file_painters import MaskPainter

SEQUENCE = "scene-0061"


@dataclass(frozen=True)
class Toy:
    points: np.ndarray
    scores: np.ndarray


class Reader:
    """Reads toy frames and counts."""

    def __init__(self, unreadable: tuple[int, ...] = ()) -> None:
        self.seen: Counter[int] = Counter()
        self.unreadable = unreadable

    def __call__(self, row: FrameRow) -> Toy | None:
        self.seen[row.index] += 1
        full = np.full((1, 5), row.index, dtype=np.float32)
        return None if row.index in self.unreadable else Toy(full, full[:, :2])


@pytest.fixture(scope="module")
def catalog(sweeps_workspace: Path) -> Catalog:
    return open_catalog(sweeps_workspace / "catalog")


def loader(catalog: Catalog, start: int, stop: int, count: int, read: Reader) -> SweepLoader:
    return SweepLoader(catalog, SEQUENCE, start, stop, count, read)


def test_nearest_first_across_shard_borders(catalog: Catalog) -> None:
    """Keyframes are frames 10 and 20; the shard of 16 to 20 needs frame 11 on."""
    assert first_frame_needed(catalog, SEQUENCE, 16, 21, 9) == 11
    assert first_frame_needed(catalog, SEQUENCE, 11, 16, 9) == 11
    part = catalog.part(SEQUENCE, 11, 21)
    key = part.frames(SEQUENCE, 20, 21)[0]
    sweeps = loader(part, 11, 21, 9, Reader()).load_sweeps(key)
    assert [int(sweep.points[0, 0]) for sweep in sweeps] == list(range(19, 10, -1))
    assert [sweep.row.index for sweep in sweeps] == list(range(19, 10, -1))
    assert [round(sweep.lag_s, 6) for sweep in sweeps] == [round(0.05 * step, 6) for step in range(1, 10)]


def test_a_frame_is_read_once_for_itself_and_for_both_keyframes(catalog: Catalog) -> None:
    read = Reader()
    sweeps = loader(catalog, 0, 21, 10, read)
    for row in catalog.frames(SEQUENCE, 0, 21):
        sweeps.painted(row)
        sweeps.load_sweeps(row)
    assert read.seen == Counter(range(21))


def test_what_can_not_be_read_is_left_out_and_frames_between_keyframes_have_none(catalog: Catalog) -> None:
    read = Reader(unreadable=(18, 15))
    key, between = catalog.frames(SEQUENCE, 20, 21)[0], catalog.frames(SEQUENCE, 19, 20)[0]
    sweeps = loader(catalog, 10, 21, 5, read)
    assert [sweep.row.index for sweep in sweeps.load_sweeps(key)] == [19, 17, 16]
    assert sweeps.load_sweeps(between) == ()
    assert loader(catalog, 20, 21, 0, read).load_sweeps(key) == ()


def test_it_remembers_no_more_than_a_keyframe_needs(catalog: Catalog) -> None:
    sweeps = loader(catalog, 0, 21, 3, Reader())
    for row in catalog.frames(SEQUENCE, 0, 21):
        sweeps.painted(row)
    assert len(sweeps._read) == 4


def test_a_catalog_of_keyframes_alone_gets_a_hint(catalog: Catalog) -> None:
    assert missing_sweeps_hint(catalog.info, 9) == ""
    alone = {**vars(catalog.info), "options": {"sweeps": False}}
    hint = missing_sweeps_hint(type(catalog.info)(**alone), 9)
    assert "--sweeps" in hint
    assert missing_sweeps_hint(type(catalog.info)(**alone), 0) == ""


def test_a_sweep_is_painted_from_the_image_nearest_to_its_time(catalog: Catalog) -> None:
    """By hand: cameras at 12 Hz fire `delay` from the LiDAR's stamp; a keyframe's own image lies `delay` beside it."""
    frames, images = catalog.frames(SEQUENCE, 0, 21), catalog.images(SEQUENCE, 0, 21)
    times_us = {
        camera: {row.timestamp_us for row in images if row.camera == camera} for camera in catalog.camera_names()
    }
    keys = {row.index for row in frames if row.is_keyframe}
    assert keys == {10, 20}
    assert len(images) == 6 * 21
    for row in images:
        delay_us = {other.dt_us for other in images if other.camera == row.camera and other.index in keys}
        assert len(delay_us) == 1
        wanted_us = frames[row.index].timestamp_us + delay_us.pop()
        nearest_us = min(times_us[row.camera], key=lambda when: abs(when - wanted_us))
        assert abs(row.timestamp_us - wanted_us) == abs(nearest_us - wanted_us) <= 1_000_000 // 24 + 1
        folder = "samples" if row.index in keys else ("samples", "sweeps")
        assert row.image_path.split("/")[0] in folder
    assert {row.image_path.split("/")[0] for row in images} == {"samples", "sweeps"}


def test_sweeps_share_images_and_each_is_segmented_once_a_shard(
    catalog: Catalog, sweeps_scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = catalog.images(SEQUENCE, 0, 21)
    assert len({row.image_path for row in images}) < len(images) * 0.7
    loaded: Counter[tuple[int, str]] = Counter()
    real = MaskPainter.load

    def load(self, files, row):
        loaded[row.index // 8, row.image_path] += 1
        return real(self, files, row)

    monkeypatch.setattr(MaskPainter, "load", load)
    succeed("ingest", "nuscenes", sweeps_scene, "--sweeps", "-w", tmp_path, "-q")
    paint = ("paint", "-w", tmp_path, "--from-masks", sweeps_scene / "masks", "--frames-per-shard", 8, "-q")
    succeed(*paint, "--executor", "serial")
    assert set(loaded) == {(row.index // 8, row.image_path) for row in images}
    assert max(loaded.values()) == 1
