"""kill -9: at random instants, and before every call that changes the disk."""

from collections.abc import Callable
from typing import Any

import pytest

Check = Callable[..., dict[str, Any]]
Counts = Callable[[int, int], int]

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


def test_at_a_random_instant_of_a_run(check: Check, counts: Counts) -> None:
    done = check("kills:random_instants", count=counts(54, 900), executors=["serial", "threads"])
    assert done["killed"] > done["tries"] // 2, "the kills came too late to prove anything"
    assert len(done["marks_at_kill"]) > 3, "the kills did not spread over the run"


@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_before_every_step_of_publishing_a_shard_a_mark_and_metadata(check: Check, counts: Counts, kind: str) -> None:
    """Files are published by the same calls whatever their format: in CI, Parquet's few stand for all steps."""
    every = counts(4 if kind == "zarr" else 1, 1)
    done = check("steps:storage_steps", kind=kind, every=every)
    assert done["calls"] > 100
    assert done["tries"] * every >= done["calls"]
    assert {"open", "write", "fsync", "close", "rename", "mkdir"} <= set(done["kinds"])


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_before_a_step_of_a_whole_run(check: Check, counts: Counts, executor: str) -> None:
    done = check("steps:paint_steps", executor=executor, every=counts(40, 1))
    assert done["calls"] > 300
