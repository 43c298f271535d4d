"""Mutated input files: only our errors come out, in under 5 s and 1 GB."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


def test_every_reader_and_parser(check: Callable[..., dict[str, Any]], counts: Callable[[int, int], int]) -> None:
    done = check("fuzz:parsers", count=counts(100, 10_000))
    assert len(done["tries"]) > 60
    assert done["slowest_s"] < 5.0
    assert done["most_mb"] < 1000
    refusing = [name for name, tries in done["tries"].items() if done["accepted"][name] < tries]
    assert len(refusing) > 30, "mutations that nobody notices prove nothing"
