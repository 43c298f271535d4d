"""Workers killed, frozen until they are replaced and then woken, drivers killed over them, a scheduler lost."""

from collections.abc import Callable
from typing import Any

import pytest

Check = Callable[..., dict[str, Any]]
Counts = Callable[[int, int], int]


@pytest.mark.timeout(7200)
def test_workers_and_schedulers_that_are_lost(check: Check, counts: Counts) -> None:
    done = check("workers:lost", count=counts(10, 50))
    assert sum(done["in_time"].values()) > done["tries"] // 2, "the harm came too late to prove anything"
    assert done["attempts_lost"] > 0, "no worker was lost over a shard"


@pytest.mark.timeout(7200)
def test_a_driver_that_is_killed_over_its_workers(check: Check, counts: Counts) -> None:
    done = check("workers:drivers_killed", count=counts(6, 100))
    assert sum(done["in_time"].values()) > done["tries"] // 3
