"""The frames that `bench` runs on: the first of a catalog, over and over where it holds too few."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.tables import write_json
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import SequenceRows, rows_to_table
from paintpipe.schemas.errors import ConfigError
from paintpipe.workflows.catalog import Catalog, catalog_of
from paintpipe.workflows.catalog_files import TABLES, info_json
from paintpipe.workflows.catalog_writer import CatalogWriter

SEQUENCE = "bench"


@dataclass(frozen=True)
class Sample:
    """Frames to run on.

    Attributes:
        rows: of one sequence, `SEQUENCE`.
        catalog: the same, in memory.
        distinct: how many of the frames differ.
        frames_per_shard: no frame comes twice in one shard, since an image is segmented once a shard.
    """

    rows: SequenceRows
    catalog: Catalog
    distinct: int
    frames_per_shard: int

    @property
    def first_shard(self) -> Shard:
        """What stages run on alone."""
        return Shard(SEQUENCE, 0, 0, min(len(self.rows.frames), self.frames_per_shard))


def sample_of(catalog: Catalog, wanted: tuple[str, ...], frames: int, frames_per_shard: int) -> Sample:
    """The first frames of some sequences as one sequence, from the start again where there are too few.

    Args:
        catalog: of the workspace.
        wanted: sequences, () for all.
        frames: how many, rounded up to whole shards.
        frames_per_shard: at most; fewer where there are fewer distinct frames.

    Raises:
        ConfigError: a sequence that the catalog does not have.
    """
    counts = catalog.frame_counts()
    for name in wanted:
        if name not in counts:
            raise ConfigError(f"no sequence {name!r} in the catalog", expected="some of " + ", ".join(counts))
    spans = list(_spans({name: counts[name] for name in wanted or counts}, frames))
    distinct = sum(stop - start for _, start, stop in spans)
    length = min(frames_per_shard, distinct)
    order = [at % distinct for at in range(-(-frames // length) * length)]
    rows = SequenceRows(
        frames=_repeated(catalog.frames, spans, order),
        images=_repeated(catalog.images, spans, order),
        boxes=_repeated(catalog.boxes, spans, order),
    )
    tables = {name: rows_to_table(getattr(rows, name), schema) for name, schema in TABLES.items()}
    return Sample(rows, catalog_of(catalog.info, tables), distinct, length)


def write_sample(sample: Sample, workspace: Workspace) -> None:
    """Make a workspace with the sample's catalog. Raises StoreError."""
    workspace.path.mkdir()
    with CatalogWriter(workspace.catalog) as writer:
        writer.add(sample.rows)
    info = replace(sample.catalog.info, counts=writer.counts, digest="")
    write_json(workspace.catalog / "dataset.json", info_json(info))


def _spans(counts: dict[str, int], frames: int) -> Iterator[tuple[str, int, int]]:
    """(sequence, start, stop) until there are enough frames or no more sequences."""
    left = frames
    for name, count in counts.items():
        if left > 0:
            yield name, 0, min(count, left)
            left -= count


def _repeated(read: Any, spans: list[tuple[str, int, int]], order: list[int]) -> list[Any]:
    """The rows that `read` gives for each frame of the spans, in this order of frames."""
    groups: list[list[Any]] = []
    for sequence, start, stop in spans:
        of_span: list[list[Any]] = [[] for _ in range(start, stop)]
        for row in read(sequence, start, stop):
            of_span[row.index - start].append(row)
        groups += of_span
    return [replace(row, sequence=SEQUENCE, index=index) for index, at in enumerate(order) for row in groups[at]]
