"""Which sweeps a keyframe was exported with, when all frames go by in the catalog's order."""

from paintpipe.schemas.catalog import FrameRow
from paintpipe.stages.export.target import DoneFrame


class SweepRows:
    """Remembers the frames of the sequence that goes by."""

    def __init__(self) -> None:
        self._sequence = ""
        self._rows: dict[str, FrameRow] = {}

    def add(self, row: FrameRow) -> None:
        """The next frame; a new sequence's first makes those of the last one forgotten."""
        if row.sequence != self._sequence:
            self._sequence, self._rows = row.sequence, {}
        self._rows[row.frame_id] = row

    def of(self, frame: DoneFrame) -> list[FrameRow]:
        """The sweeps that a keyframe's facts name, nearest first; one that is not exported is left out."""
        return [self._rows[name] for name in frame.facts.get("sweeps", ()) if name in self._rows]
