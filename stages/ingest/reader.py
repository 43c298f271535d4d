"""What every dataset reader offers, and the table of the readers there are."""

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from paintpipe.schemas.catalog import RejectedRow, SequenceRows
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.source import Root


@dataclass(frozen=True)
class IngestOptions:
    """What the user asked to read.

    Attributes:
        sequences: names to keep, () for all.
        split: keep this official split only, None for all.
        sweeps: nuScenes: also the frames between keyframes.
        version: nuScenes: `v1.0-mini`, …; None finds the one that is there.
    """

    sequences: tuple[str, ...] = ()
    split: str | None = None
    sweeps: bool = False
    version: str | None = None


class Reader(Protocol):
    """One opened dataset.

    Attributes:
        dataset: name as users type it.
        version: the dataset's own, or "".
        labels_taxonomy: taxonomy of the point labels, None where there are none.
        boxes_taxonomy: taxonomy that boxes are judged in, None where there are none.
        synthetic: made by `paintpipe synth`.
        rejected: what was wrong with the dataset as a whole (a missing folder, an unreadable table).
    """

    dataset: str
    version: str
    labels_taxonomy: str | None
    boxes_taxonomy: str | None
    synthetic: bool
    rejected: list[RejectedRow]

    def sequences(self) -> list[str]:
        """Names of the sequences to read, sorted, the options obeyed."""
        ...

    def read(self, sequence: str, limit: int | None) -> SequenceRows:
        """The rows of one sequence, of its first `limit` frames where that is given."""
        ...


READERS = {
    "semantickitti": "paintpipe.stages.ingest.semantickitti:open_semantickitti",
    "kitti": "paintpipe.stages.ingest.kitti:open_kitti",
    "kitti-raw": "paintpipe.stages.ingest.kitti_raw:open_kitti_raw",
    "nuscenes": "paintpipe.stages.ingest.nuscenes.reader:open_nuscenes",
}


def open_dataset(name: str, root: Root, options: IngestOptions) -> Reader:
    """The reader for a dataset as its owners publish it.

    Raises:
        ConfigError: no such dataset, or a sequence or split that the dataset does not have.
        InputFileError: the root does not hold this dataset.
    """
    if name not in READERS:
        raise ConfigError(f"unknown dataset {name!r}", expected="one of " + ", ".join([*READERS, "custom"]))
    module, function = READERS[name].split(":")
    reader: Reader = getattr(import_module(module), function)(root, options)
    return reader
