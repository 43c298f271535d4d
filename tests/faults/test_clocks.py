"""Clocks off by -3 days to +10 years, and jumping: resume, lock, report and status are not fooled."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


def test_whatever_the_clock_says(check: Callable[..., dict[str, Any]]) -> None:
    assert check("clocks:all_clocks")["tries"] == 12
