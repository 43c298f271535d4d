"""A sweep without a point (nothing returned, or nothing in view with --fov-only) is exported as what it is."""

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.export_frames import make_done, make_export_frame, make_facts
from support.submissions import make_keyframe, make_scan, reader, submission_facts

from paintpipe.schemas.errors import PointsError
from paintpipe.schemas.export import ExportFacts, ExportFrame
from paintpipe.stages.export.columns import score_columns
from paintpipe.workflows import export_frames
from paintpipe.workflows.export_frames import FrameSource
from paintpipe.workflows.export_targets import TARGETS, load_target

LABELS = {"semantickitti": make_scan, "nuscenes-lidarseg": make_keyframe}


def given(name: str) -> tuple[ExportFrame, ExportFacts]:
    """An empty frame that the target takes, and the facts of its export."""
    if name in LABELS:
        return LABELS[name](labels=()), submission_facts("nuscenes" if name == "nuscenes-lidarseg" else name)
    dataset = "nuscenes" if name in ("centerpoint", "bevfusion") else "kitti"
    facts = make_facts(dataset)
    settings = replace(facts.settings, background="auto", sweeps=None)
    settled = load_target(name).settle(settings, dataset, facts.features)
    facts = replace(facts, settings=settled, channels=score_columns(facts.taxonomy, settled).names)
    frame = make_export_frame(dataset)
    none = {field: getattr(frame, field)[:0] for field in ("points", "label", "camera", "flags")}
    scores = np.zeros((0, len(facts.channels)), np.float32)
    return replace(frame, row=replace(frame.row, num_points=0), scores=scores, **none), facts


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "mcap"])
def test_every_target_has_room_for_it(name: str) -> None:
    (frame, facts), target = given(name), load_target(name)
    made = target.export(frame, facts)
    done = make_done(frame, **made.facts)
    files = {**made.files, **target.finish([done], facts)}
    assert list(target.faults(frame, facts, reader(files))) == []
    assert list(target.finish_faults([done], facts, reader(files))) == []


def test_so_has_a_recording() -> None:
    (frame, facts), target, file = given("mcap"), load_target("mcap"), io.BytesIO()
    bare = replace(frame, images=())
    target.write(iter([bare]), facts, file, lambda _path: io.BytesIO())
    file.seek(0)
    assert list(target.faults(iter([bare]), facts, file)) == []


def source(points: Any, monkeypatch: pytest.MonkeyPatch) -> FrameSource:
    """A store that holds these points, and a layer over them."""
    facts, count = make_facts(), len(points)
    arrays = {
        "scores": np.zeros((count, len(facts.channels)), np.float16),
        "label": np.full(count, 255, np.uint8),
        "camera": np.full(count, -1, np.int8),
        "flags": np.zeros(count, np.uint8),
    }
    monkeypatch.setattr(export_frames, "frame_arrays", lambda _opened, _layer, _row: arrays)
    store = SimpleNamespace(read_frame=lambda _target, _sequence, _index: {"points": points})
    opened: Any = SimpleNamespace(store=store)
    layer: Any = None
    return FrameSource(opened, layer, None, facts, None, "train")


def test_the_store_gives_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    row = make_export_frame().row
    found = source(np.zeros((0, 4), np.float32), monkeypatch).painted(row, points_stored=True)
    assert (found.points.shape, found.scores.shape, found.label.shape) == ((0, 4), (0, 4), (0,))


def test_a_sweep_that_was_not_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    row = make_export_frame().row
    with pytest.raises(PointsError, match="not read when it was painted"):
        source(np.full((3, 4), np.nan, np.float32), monkeypatch).painted(row, points_stored=True)
