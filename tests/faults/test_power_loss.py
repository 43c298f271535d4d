"""Power loss after every call that changes the disk: unsynced writes and names dropped, torn and reordered."""

from collections.abc import Callable
from typing import Any

import pytest
from support.faults.server import Server

Check = Callable[..., dict[str, Any]]
Counts = Callable[[int, int], int]

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "overwritten"])
@pytest.mark.parametrize("kind", ["zarr", "parquet"])
def test_after_every_step(check: Check, counts: Counts, kind: str, overwrite: bool) -> None:
    """Files are published by the same calls whatever their format: in CI, Parquet's few stand for all steps."""
    every = 4 if kind == "zarr" else 1
    done = check("power:storage_losses", kind=kind, overwrite=overwrite, damages=counts(1, 5), every=counts(every, 1))
    assert done["tries"] >= done["calls"] * counts(1, 5) // counts(every, 1)


def test_after_a_step_of_a_whole_run(check: Check, counts: Counts) -> None:
    check("power:paint_losses", damages=counts(1, 5), every=counts(40, 1))


@pytest.mark.parametrize("ignored", ["file", "folder"])
def test_a_disk_that_does_not_sync_is_found_out(faults: Server, ignored: str) -> None:
    """The simulated disk bites: without either of the two syncs, marks vouch for what is not there."""
    every = 4 if ignored == "file" else 1
    done = faults.run("power:storage_losses", kind="parquet", ignored=[ignored], of=["any order"], every=every)
    assert any("falsely marked" in fault for fault in done["faults"])
