"""Which shards are to be painted, and the task of each with all that it needs, made just before it is handed out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from paintpipe.pipeline.changes import digest_of
from paintpipe.pipeline.progress import track_checks
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import POINTS_TARGET, LayerTable
from paintpipe.pipeline.verify import verify_mark
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.paint_inputs import PaintInputs
from paintpipe.workflows.paint_shard import ShardTask
from paintpipe.workflows.store_groups import begin_layer, create_layer, create_sequence, sequence_table
from paintpipe.workflows.stores import OpenStore

Waiting = dict[Shard, tuple[str, ...]]
"""Shards with the targets that are not done, in catalog order."""


def waiting_shards(
    opened: OpenStore,
    targets: tuple[str, ...],
    shards: list[Shard],
    inputs: PaintInputs,
    *,
    overwrite: bool,
    quiet: bool,
) -> Waiting:
    """The shards that lack a target, with progress on standard error unless `quiet`.

    Raises:
        ChangedInputError: a shard was made from other inputs, and is not to be overwritten.
    """
    waiting: dict[Shard, tuple[str, ...]] = {}
    for target in targets:
        if overwrite:
            pending = _changed(opened, target, shards, inputs, quiet)
        else:
            pending = opened.ledger.pending(target, shards, partial(inputs, target), opened.store.root, quiet=quiet)
        for shard in pending:
            waiting[shard] = (*waiting.get(shard, ()), target)
    return {shard: waiting[shard] for shard in shards if shard in waiting}


def forget(opened: OpenStore, waiting: Waiting) -> None:
    """Remove the marks of shards that are to be overwritten."""
    for shard, targets in waiting.items():
        for target in targets:
            opened.ledger.forget(target, shard)


def _changed(opened: OpenStore, target: str, shards: list[Shard], inputs: PaintInputs, quiet: bool) -> list[Shard]:
    """The shards that overwriting would change; those that look the same are read and hashed, so that it mends them."""
    there = set(opened.ledger.mark_paths(target))
    marked = [shard for shard in shards if opened.ledger.path(target, shard) in there]
    looked = track_checks(marked, target, len(marked), quiet=quiet)
    same = {shard for shard in looked if _same(opened, target, shard, inputs)}
    return [shard for shard in shards if shard not in same]


def _same(opened: OpenStore, target: str, shard: Shard, inputs: PaintInputs) -> bool:
    """Whether a shard is whole and overwriting would write the same bytes again."""
    mark = opened.ledger.done(target, shard)
    if mark is not None and not mark.rejects and mark.digest == digest_of(inputs(target, shard)):
        return next(verify_mark(opened.store.root, mark), None) is None
    return False


def balanced(waiting: Waiting, catalog: Catalog, at_once: int) -> Waiting:
    """The same shards, the last `2 * at_once` of them ordered so that the costliest come first.

    In catalog order a whole shard may begin when all others are done, and every worker but one waits for it; a
    sequence's last shard, shorter than the others, fills the end better. Only the end is ordered: until then a killed
    run leaves whole sequences.

    Args:
        waiting: in catalog order.
        catalog: of all of them.
        at_once: shards that all workers have under way at the same time.
    """
    shards = list(waiting)
    end = shards[max(0, len(shards) - 2 * at_once) :] if at_once > 1 else []
    costs = dict(zip(end, catalog.shard_costs(end), strict=True))
    end.sort(key=lambda shard: (-costs[shard].images, -costs[shard].points))  # stable: equals stay in catalog order
    return {shard: waiting[shard] for shard in (*shards[: len(shards) - len(end)], *end)}


@dataclass
class Groups:
    """Creates what tasks write into: the coordinator alone does so, a sequence at a time.

    Attributes:
        opened: the store.
        catalog: of the dataset.
        layer: to be painted.
        with_points: whether the points are stored too.
        overwrite: whether what other inputs made may be dropped.
    """

    opened: OpenStore
    catalog: Catalog
    layer: LayerTable
    with_points: bool
    overwrite: bool
    _created: set[str] = field(default_factory=set)

    def settle(self, sequences: list[str]) -> None:
        """Hold what the store has against what is to come.

        Raises:
            ChangedInputError: it was made from other frames or settings, and is not to be overwritten.
        """
        there = set(self.opened.store.sequences())
        for name in sequences:
            if name in there:
                self._create_tables(name)
        create_layer(self.opened, [], self.layer, self.overwrite)

    def create(self, sequence: str) -> None:
        """The groups of a sequence, where they are not there yet."""
        if sequence not in self._created:
            self._create_tables(sequence)
            begin_layer(self.opened, sequence, self.layer)
            self._created.add(sequence)

    def _create_tables(self, sequence: str) -> None:
        table = sequence_table(self.catalog, sequence)
        create_sequence(self.opened, table, with_points=self.with_points, overwrite=self.overwrite)


def shard_tasks(waiting: Waiting, catalog: Catalog, groups: Groups, cameras: tuple[str, ...]) -> Iterator[ShardTask]:
    """Each shard's task in the order of `waiting`, made after its groups are there."""
    for shard, targets in waiting.items():
        groups.create(shard.sequence)
        part = catalog.part(shard.sequence, shard.start, shard.stop)
        repeated = 0 if targets == (POINTS_TARGET,) else _repeated_images(catalog, shard, cameras)
        yield ShardTask(shard, targets, part, repeated)


def _repeated_images(catalog: Catalog, shard: Shard, cameras: tuple[str, ...]) -> int:
    """How many images of a shard the one before holds too: each is segmented in both."""

    def images(start: int, stop: int) -> set[str]:
        paths = catalog.column("images", shard.sequence, "image_path", start, stop)
        names = catalog.column("images", shard.sequence, "camera", start, stop)
        return {path for path, name in zip(paths, names, strict=True) if name in cameras}

    return len(images(shard.start, shard.stop) & images(max(0, shard.start - len(shard)), shard.start))
