"""Making a shard done: hash, publish, and only then mark."""

import hashlib
from collections.abc import Mapping
from typing import Any

from paintpipe.pipeline.ledger import FileSum, Ledger, Mark, encode_mark
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import Store


def commit_shard(
    store: Store,
    ledger: Ledger,
    target: str,
    shard: Shard,
    files: Mapping[str, bytes],
    *,
    inputs: Mapping[str, Any],
    rows: tuple[int, ...],
    rejects: Mapping[int, str] | None = None,
    input_sha256s: Mapping[str, str] | None = None,
) -> Mark:
    """Publish an encoded shard and record its mark; killed in between, the shard simply is not done.

    Args:
        store: where the files go.
        ledger: where the mark goes.
        target: `points` or `layers/<name>`.
        shard: which frames.
        files: from `Store.encode_shard`.
        inputs: see `Mark.inputs`.
        rows: see `Mark.rows`.
        rejects: see `Mark.rejects`.
        input_sha256s: see `Mark.input_sha256s`.

    Raises:
        StoreError: the disk is full, read-only or refuses; the shard is not done.
    """
    sums = {path: FileSum(hashlib.sha256(content).hexdigest(), len(content)) for path, content in files.items()}
    mark = Mark(target, shard, inputs, sums, rows, rejects or {}, input_sha256s or {})
    # A mark that stands would vouch for the old bytes while they are being replaced. One that says the same (a worker
    # that was thought lost comes after its replacement) vouches for these very bytes, and stays.
    there = ledger.done(target, shard)
    if there is None or encode_mark(there) != encode_mark(mark):
        ledger.forget(target, shard)
    store.root.publish(files)
    ledger.record(mark)
    return mark
