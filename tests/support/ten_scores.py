"""nuScenes frames as CenterPoint's and BEVFusion's targets are given them, and what they export of them."""

from dataclasses import replace
from typing import Any

import numpy as np
from support.export_frames import make_done, make_export_frame, make_facts

from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings
from paintpipe.stages.export.columns import score_columns
from paintpipe.stages.export.gt_database import rows_in_boxes
from paintpipe.stages.export.target import DoneFrame, FrameTarget


def ten_facts(target: FrameTarget, **settings: Any) -> ExportFacts:
    """Facts with the target's settled settings and columns."""
    facts = make_facts("nuscenes")
    settled = target.settle(ExportSettings(**settings), "nuscenes", facts.features)
    return replace(facts, settings=settled, channels=score_columns(facts.taxonomy, settled).names)


def ten_frame(**overrides: Any) -> ExportFrame:
    """A frame whose scores are those of the ten classes; the background, the last class, is left out."""
    frame = make_export_frame("nuscenes", **overrides)
    sweeps = tuple(replace(sweep, scores=sweep.scores[:, :10]) for sweep in frame.sweeps)
    return replace(frame, scores=frame.scores[:, :10], sweeps=sweeps)


def thinned(frame: ExportFrame, category: str, left: int) -> ExportFrame:
    """The frame with so many points left in its first box of a category."""
    box = next(box for box in frame.boxes if box.class_name == category)
    (inside,) = rows_in_boxes(frame.points, [box])
    kept = np.setdiff1d(np.arange(len(frame.points)), inside[left:])
    arrays = {name: getattr(frame, name)[kept] for name in ("points", "scores", "label", "camera", "flags")}
    return replace(frame, row=replace(frame.row, num_points=len(kept)), **arrays)


class Exported:
    """Frames exported by a target, their sweeps as frames of their own before them, all in memory."""

    def __init__(self, target: FrameTarget, frames: list[ExportFrame], **settings: Any) -> None:
        self.target, self.facts = target, ten_facts(target, **settings)
        self.frames = [each for frame in frames for each in (*_between(frame), frame)]
        self.files: dict[str, bytes] = {}
        self.done: list[DoneFrame] = []
        for frame in self.frames:
            made = target.export(frame, self.facts)
            assert not made.files.keys() & self.files.keys()
            self.files |= made.files
            self.done.append(make_done(frame, **made.facts))
        self.files |= target.finish(iter(self.done), self.facts)

    def read(self, path: str) -> bytes:
        """See `ReadFile`."""
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def faults(self) -> list[str]:
        """All that the self-check says."""
        each = [fault for frame in self.frames for fault in self.target.faults(frame, self.facts, self.read)]
        return [*each, *self.target.finish_faults(iter(self.done), self.facts, self.read)]


def _between(frame: ExportFrame) -> list[ExportFrame]:
    """The frame's sweeps as frames, earliest first."""
    empty: dict[str, Any] = {"images": (), "boxes": (), "sweeps": ()}
    return [replace(frame, row=s.row, points=s.points, scores=s.scores, **empty) for s in frame.sweeps[::-1]]
