"""One wrong bit in a shard, a table, metadata or a mark: never silent."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


def test_no_flipped_bit_is_silent(check: Callable[..., dict[str, Any]], counts: Callable[[int, int], int]) -> None:
    done = check("flips:bits", count=counts(100, 300))
    assert sum(done["tries"].values()) == counts(100, 300)
    for kind in ("shard", "table"):
        assert done["refused_by_zarr"][kind] == done["tries"][kind]
