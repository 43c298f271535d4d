"""One wrong bit in a file of a painted workspace."""

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from support.command import paintpipe
from support.faults import tiny
from support.faults.forks import in_child, parallel


def bits(folder: Path, count: int, seed: int = 0) -> dict[str, Any]:
    """Flip `count` seeded bits, one at a time, in every kind of file by turns: shards, tables, metadata and marks.

    `verify` must name the file (or the array that it belongs to), and plain zarr must refuse a damaged chunk.
    """
    tiny.reference(folder)
    names = {kind: [name for name in _files(folder / "reference") if _kind(name) == kind] for kind in KINDS}
    draw = random.Random(seed)
    tries = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        name = draw.choice(names[kind])
        tries.append((number, kind, name, draw.randrange((folder / "reference" / name).stat().st_size * 8)))

    def one(item: tuple[int, str, str, int]) -> dict[str, Any]:
        number, kind, name, bit = item
        workspace = folder / f"flip{number}"
        shutil.copytree(folder / "reference", workspace)
        data = bytearray((workspace / name).read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        (workspace / name).write_bytes(bytes(data))
        ended = in_child(_noticed, workspace, kind, name)
        faults = ended.value["faults"] if ended.good else [ended.last_words]
        shutil.rmtree(workspace)
        refused = bool(ended.value and ended.value["refused"])
        return {"refused": refused, "kind": kind, "faults": [f"bit {bit} of {name}: {fault}" for fault in faults]}

    results = parallel(one, tries)
    return {
        "tries": {kind: sum(result["kind"] == kind for result in results) for kind in KINDS},
        "refused_by_zarr": {kind: sum(r["refused"] for r in results if r["kind"] == kind) for kind in KINDS},
        "faults": [fault for result in results for fault in result["faults"]],
    }


KINDS = ("shard", "table", "metadata", "mark")


def _files(workspace: Path) -> list[str]:
    found = [path for part in ("painted.zarr", "ledger") for path in sorted((workspace / part).rglob("*"))]
    return [path.relative_to(workspace).as_posix() for path in found if path.is_file() and "runs" not in path.parts]


def _kind(name: str) -> str:
    if name.startswith("ledger/"):
        return "mark"
    if name.endswith("zarr.json"):
        return "metadata"
    shards = ("points", "scores", "label", "camera", "flags")
    return "shard" if name.partition("/c/")[0].rpartition("/")[2] in shards else "table"


def _noticed(workspace: Path, kind: str, name: str) -> dict[str, Any]:
    done = paintpipe("verify", "-w", workspace, "-q")
    faults = []
    if not done.code or "Traceback" in done.err:
        faults.append(f"verify: {done}")
    place = workspace / name
    if not any(str(path) in done.out + done.err for path in (place, *list(place.parents)[: _depth(name)])):
        faults.append(f"verify does not name it: {done.out + done.err!r}")
    refused = kind in ("shard", "table") and _zarr_refuses(workspace, name)
    if kind in ("shard", "table") and not refused:
        faults.append("plain zarr reads it without a word")
    return {"faults": faults, "refused": refused}


def _depth(name: str) -> int:
    """How many folders up the array lies that a chunk belongs to."""
    return len(name.partition("/c/")[2].split("/")) + 1 if "/c/" in name else 0


def _zarr_refuses(workspace: Path, name: str) -> bool:
    import zarr

    array = zarr.open_array(workspace / name.partition("/c/")[0], mode="r")
    try:
        np.asarray(array[...])
    except (ValueError, RuntimeError, OSError):
        return True
    return False
