"""Which sequences have grown since they were recorded: a file over a whole sequence is written anew."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from paintpipe.pipeline.ledger import Mark
from paintpipe.pipeline.shards import Shard
from paintpipe.workflows.export_plan import Part
from paintpipe.workflows.export_targets import by_sequence

if TYPE_CHECKING:
    from paintpipe.workflows.export_prepare import Prepared

_AS_BEFORE = ("export_format", "target", "card", "default_split")


def sequences_there(run: "Prepared", marks: Iterable[Mark]) -> set[Shard]:
    """The shards of an export that is here already, of a target with a file a sequence as long as it is by now."""
    shards = {mark.shard for mark in marks}
    if not by_sequence(run.target):
        return shards
    counts = run.catalog.frame_counts()
    return {Shard(name, 0, 0, counts[name]) for name in {shard.sequence for shard in shards} if name in counts}


def grown(run: "Prepared", parts: Iterable[Part], marks: Iterable[Mark]) -> dict[str, Shard]:
    """Sequences with more frames in the catalog or in the layer than when they were recorded, each with its shard now.

    The frames that were recorded must still be there, with the catalog's rows and the settings of then: whatever else
    has changed is no growth, and the user's to decide. Of paint the card is compared alone, not the hashes: the last
    painted shard of a sequence that grew is painted anew with it.
    """
    if not by_sequence(run.target):
        return {}
    now = {part.shard.sequence: part for part in parts}
    found = ((mark, now.get(mark.shard.sequence)) for mark in marks)
    return {mark.shard.sequence: part.shard for mark, part in found if part is not None and _grew(run, mark, part)}


def _grew(run: "Prepared", mark: Mark, part: Part) -> bool:
    old, new = mark.inputs, run.inputs(part)
    as_before = all(old.get(name) == new[name] for name in _AS_BEFORE)
    recorded, there = set(old.get("frames", ())), set(part.frames)
    more = recorded < there or (recorded == there and mark.shard.stop < part.shard.stop)
    return as_before and more and _rows_kept(run, mark)


def _rows_kept(run: "Prepared", mark: Mark) -> bool:
    shard = mark.shard
    return mark.inputs.get("catalog") == run.catalog.rows_digest(shard.sequence, shard.start, shard.stop)
