"""Object stores behind a bad network: each request that is spoiled is made good, and no mark ever lies.

`PAINTPIPE_FAULTS=full` for the larger counts.
"""

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from support.engine import layer_frames, make_layer, make_sequence
from support.faults.s3_proxy import FAULTS, S3Proxy, next_ones
from support.object_servers import use_endpoint
from support.together import together

from paintpipe.pipeline.commit import commit_shard
from paintpipe.pipeline.folders import connect, requests
from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.ledger import Ledger, Mark
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.shards import plan_shards
from paintpipe.pipeline.verify import verify_target
from paintpipe.pipeline.zarr_store import ZarrStore
from paintpipe.schemas.errors import StoreError, WorkspaceLockedError

FULL = os.environ.get("PAINTPIPE_FAULTS") == "full"
TIMES = (1, 2, 3) if FULL else (1,)
RACES = 100 if FULL else 20


@pytest.fixture(scope="module")
def proxy(moto_port: int) -> Iterator[S3Proxy]:
    proxy = S3Proxy(moto_port)
    yield proxy
    proxy.close()


@pytest.fixture
def folder(moto: str, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch) -> ObjectFolder:
    """A fresh folder that is reached through the proxy, without the waiting between two tries."""
    use_endpoint(monkeypatch, proxy.port)
    monkeypatch.setattr(requests, "PAUSES_S", (0.01,) * len(requests.PAUSES_S))
    backoff = {"init_backoff": timedelta(milliseconds=5), "max_backoff": timedelta(milliseconds=20), "base": 2}
    monkeypatch.setitem(connect.RETRIES, "backoff", backoff)
    return ObjectFolder(moto)


def _locked(folder: ObjectFolder) -> bytes:
    with workspace_lock(folder):
        return b"locked" if folder.size("lock") else b""


def _replaced(folder: ObjectFolder) -> bool:
    old = folder.version("a/one")
    assert old is not None
    return folder.replace("a/one", b"replaced", old)


OPERATIONS: dict[str, tuple[Callable[[ObjectFolder], Any], Any, dict[str, bytes]]] = {
    "publish": (lambda folder: folder.publish({"a/one": b"new" * 500}), None, {"a/one": b"new" * 500}),
    "multipart": (lambda folder: folder.publish({"big": bytes(17 << 20)}), None, {"big": bytes(17 << 20)}),
    "mark": (lambda folder: folder.mark("m", b"mark" * 100), None, {"m": b"mark" * 100}),
    "create": (lambda folder: folder.create("m", b"mark"), True, {"m": b"mark"}),
    "replace": (_replaced, True, {"a/one": b"replaced"}),
    "read": (lambda folder: folder.read("a/one"), b"1" * 1000, {}),
    "read_range": (lambda folder: folder.read_range("a/one", 10, 200), (b"1" * 190, 1000), {}),
    "size": (lambda folder: folder.size("a/one"), 1000, {}),
    "walk": (lambda folder: sorted(folder.walk()), ["a/one", "a/two", "lone"], {}),
    "names": (lambda folder: (folder.names().folders, dict(folder.names().files)), (("a",), {"lone": 3}), {}),
    "remove": (lambda folder: folder.remove("lone"), None, {"lone": b""}),
    "remove_folder": (lambda folder: folder.remove_folder("a"), None, {"a/one": b"", "a/two": b""}),
    "lock": (_locked, b"locked", {}),
}
"""What is done, what it returns, and which files it changes (b"": removes)."""


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("times", TIMES)
def test_each_operation_survives_each_fault(operation: str, times: int, folder: ObjectFolder, proxy: S3Proxy) -> None:
    act, expected, changes = OPERATIONS[operation]
    before = {"a/one": b"1" * 1000, "a/two": b"2", "lone": b"333"}
    proxy.done.clear()
    for fault in FAULTS if operation != "multipart" or FULL else ("request lost", "reply lost", "500 though done"):
        folder.publish(before)
        with proxy.spoiling(next_ones(fault, times)):
            assert act(folder) == expected, fault
        after = {path: content for path, content in {**before, **changes}.items() if content}
        assert _content(folder) == after, fault
        for path in changes:
            folder.remove(path)
    assert len(proxy.done) >= (3 if operation == "multipart" else 7)


def _content(folder: Folder) -> dict[str, bytes]:
    return {path: folder.read(path) for path in folder.walk()}


def _any_of(rng: random.Random, share: float) -> Callable[[str], str | None]:
    return lambda _method: rng.choice(FAULTS) if rng.random() < share else None


@pytest.mark.parametrize("seed", range(4 if FULL else 1))
def test_a_store_written_over_a_bad_network_has_the_bytes_of_a_calm_one(
    seed: int, folder: ObjectFolder, proxy: S3Proxy
) -> None:
    calm = open_folder(f"memory://calm-{seed}-{id(proxy)}")
    _paint(calm)
    rng = random.Random(seed)
    proxy.done.clear()
    for attempt in range(30):
        try:
            # So many faults that some commands fail: the same command carries on.
            with proxy.spoiling(_any_of(rng, 0.35)):
                _paint(folder)
            break
        except StoreError:
            _no_false_mark(folder)
            assert attempt < 29
    assert len(proxy.done) >= 20
    _no_false_mark(folder)
    assert _content(folder) == _content(calm)


def _paint(base: Folder) -> None:
    store, ledger = ZarrStore(base.folder("painted.zarr"), 2), Ledger(base.folder("ledger"))
    sequence, table = make_sequence(num_points=(5, 0, 3, 2)), make_layer()
    with workspace_lock(base.folder("ledger")):
        store.create_sequence(sequence)
        store.create_layer("00", table)
        shards = plan_shards({"00": 4}, 2)
        for shard in ledger.pending("layers/net", shards, lambda _: {"x": 1}, store.root):
            files = store.encode_shard("layers/net", shard, layer_frames(table, sequence, shard))
            rows = tuple(sequence.num_points[shard.start : shard.stop].tolist())
            commit_shard(store, ledger, "layers/net", shard, files, inputs={"x": 1}, rows=rows)


def _no_false_mark(base: Folder) -> None:
    store, ledger = ZarrStore(base.folder("painted.zarr"), 2), Ledger(base.folder("ledger"))
    if ledger.targets():
        problems = [problem for problem in verify_target(store, ledger, "layers/net") if "no mark" not in problem.what]
        assert problems == []


def test_races_of_eight_writers_for_one_mark(folder: ObjectFolder, proxy: S3Proxy) -> None:
    shard = plan_shards({"00": 2}, 2)[0]
    rng = random.Random(7)
    for race in range(RACES):
        ledger = Ledger(folder.folder(f"race{race}"))
        same = Mark("points", shard, {"x": race}, {}, (1, 1))
        other = Mark("points", shard, {"x": -1}, {}, (1, 1))
        marks = [same] * 8 if race % 2 == 0 else [same, other] * 4
        with proxy.spoiling(_any_of(rng, 0.15)):
            results = together([partial(ledger.record, mark) for mark in marks])
        found = ledger.done("points", shard)
        if race % 2 == 0:
            assert results == [None] * 8
            assert found == same
        else:
            # Whoever finds another's words takes them away and says so; what stands then is whole, and came last.
            assert all(result is None or isinstance(result, StoreError) for result in results)
            assert found in (None, same, other)
            assert any(isinstance(result, StoreError) for result in results)
        ledger.forget("points", shard)


def test_races_of_eight_runs_for_one_lock(folder: ObjectFolder, proxy: S3Proxy) -> None:
    rng = random.Random(8)
    inside: list[int] = []
    most: list[int] = []

    def take() -> None:
        try:
            with workspace_lock(folder):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
        except WorkspaceLockedError:
            pass

    for _ in range(RACES // 4):
        with proxy.spoiling(_any_of(rng, 0.15)):
            assert together([take] * 8) == [None] * 8
        assert folder.size("lock") is None
    assert set(most) == {1}
    assert len(most) >= RACES // 4
