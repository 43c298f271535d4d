"""Files made to do harm: refused or harmless, nothing run, nothing outside touched."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(14_400)  # of a full run; the suites hold each try to less


def test_hostile_files(check: Callable[..., dict[str, Any]]) -> None:
    assert check("hostile:all_cases")["tries"] >= 30
