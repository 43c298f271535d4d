"""EIO, ENOSPC and EDQUOT on open, write, fsync, close, rename and mkdir, once and for good."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


def test_the_disk_refuses(check: Callable[..., dict[str, Any]], counts: Callable[[int, int], int]) -> None:
    done = check("io_errors:paint_errors", count=counts(60, 240))
    assert all(done["calls"][kind] > 20 for kind in ("open", "write", "fsync", "close", "rename", "mkdir"))
    assert done["exit_codes"].get("2", 0) > done["tries"] * 0.9
