"""A run of the engine alone: a store's metadata, two shards of two targets and their marks."""

from pathlib import Path

from support.engine import layer_frames, make_frame, make_layer, make_sequence, make_store, tree
from support.faults import truth

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.publish import clean_staging, find_partial
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import FrameArrays
from paintpipe.pipeline.verify import verify_metadata, verify_target
from paintpipe.schemas.painted import LAYER_MIN, POINTS
from paintpipe.workflows.store_groups import create_layer, create_sequence
from paintpipe.workflows.stores import OpenStore

SEQUENCE = make_sequence(num_points=(5, 0, 3))
LAYER = make_layer(specs=LAYER_MIN[1:3])
SHARDS = (Shard("00", 0, 0, 2), Shard("00", 1, 2, 3))
TARGETS = ("points", "layers/net")


def run(folder: Path, kind: str = "zarr", version: int = 1, overwrite: bool = False) -> None:
    """All that a run of paint writes; what is done is not done again, unless it is to be overwritten."""
    store, ledger = make_store(kind, folder), Ledger(folder / "ledger")
    for place in (folder / f"painted.{kind}", folder / "ledger"):
        clean_staging(place)
    opened = OpenStore(store, ledger, kind)  # type: ignore[arg-type]
    create_sequence(opened, SEQUENCE, with_points=True, overwrite=False)
    create_layer(opened, ["00"], LAYER, overwrite=False)
    inputs = {"version": version}
    for target in TARGETS:
        for shard in SHARDS if overwrite else ledger.pending(target, SHARDS, lambda _: inputs, store.root):
            files = store.encode_shard(target, shard, frames(target, shard, version))
            rows = tuple(SEQUENCE.num_points[shard.start : shard.stop].tolist())
            commit_shard(store, ledger, target, shard, files, inputs=inputs, rows=rows)


def read_all(folder: Path, kind: str) -> None:
    """Read and verify everything that there is."""
    store, ledger = make_store(kind, folder), Ledger(folder / "ledger")
    list(verify_metadata(store))
    for target in TARGETS:
        list(verify_target(store, ledger, target))
        for frame in range(len(SEQUENCE.frame_ids)):
            store.read_frame(target, "00", frame)


def frames(target: str, shard: Shard, seed: int = 1) -> list[FrameArrays]:
    """Seeded arrays of a shard."""
    if target != "points":
        return list(layer_frames(LAYER, SEQUENCE, shard, seed))
    counts = SEQUENCE.num_points[shard.start : shard.stop].tolist()
    return [make_frame(POINTS, count, {"feature": len(SEQUENCE.features)}, seed) for count in counts]


def false_marks(folder: Path, kind: str = "zarr") -> list[str]:
    """What marks vouch for and is not so."""
    return truth.false_marks(folder / f"painted.{kind}", folder / "ledger")


def faults_left(folder: Path, whole: dict[str, bytes], kind: str = "zarr") -> list[str]:
    """What is not as after an uninterrupted run."""
    now = tree(folder)
    wrong = [f"differs: {name}" for name in sorted(now.keys() | whole.keys()) if now.get(name) != whole.get(name)]
    return wrong + [f"left over: {path}" for path in find_partial(folder)] + false_marks(folder, kind)
