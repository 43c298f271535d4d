"""All that the report shows, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paintpipe.schemas.catalog import DatasetInfo

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LayerFacts:
    """A painted layer.

    Attributes:
        name: of the layer.
        painter: what filled it, in words.
        taxonomy: of its classes.
        frames: painted.
        all_frames: of the catalog.
        num_bytes: on disk.
        colors: of its classes by name, as CSS.
    """

    name: str
    painter: str
    taxonomy: str
    frames: int
    all_frames: int
    num_bytes: int
    colors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameFacts:
    """A frame that stands out, and its picture.

    Attributes:
        sequence, frame_id: which frame.
        score: in words, empty where it has none.
        picture: bytes of a JPEG or PNG, None where it can't be drawn.
        problem: why not, in words.
    """

    sequence: str
    frame_id: str
    score: str
    picture: bytes | None
    problem: str = ""


@dataclass(frozen=True)
class ReportFacts:
    """What a workspace holds.

    Attributes:
        workspace: name of its folder.
        info: of the dataset.
        layers: painted, in order of name.
        tables: rows of each table that `evaluate` wrote, by name; {} where it has not run.
        rejected: the first rejected files of ingest.
        runs: reports of runs, the newest first; the last may be missing where there are many.
        num_runs: of all.
        frames_layer: which layer the frames below are of.
        best: frames with the highest score.
        worst: frames with the lowest, the worst first.
        sample: some frames, where nothing ranks them.
        colors: of classes by name, as CSS.
        made: when and by what, in words.
    """

    workspace: str
    info: DatasetInfo
    layers: Sequence[LayerFacts] = ()
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    rejected: Sequence[Row] = ()
    runs: Sequence[Row] = ()
    num_runs: int = 0
    frames_layer: str = ""
    best: Sequence[FrameFacts] = ()
    worst: Sequence[FrameFacts] = ()
    sample: Sequence[FrameFacts] = ()
    colors: Mapping[str, str] = field(default_factory=dict)
    made: str = ""

    def rows(self, table: str, **wanted: Any) -> list[Row]:
        """Rows of a table whose columns have these values; [] where there is no such table."""
        found = self.tables.get(table, ())
        return [row for row in found if all(row.get(key) == value for key, value in wanted.items())]
