"""Values that are read once and shared between threads."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Remembers what was read under a key; two threads that ask at once may both read, and one answer stays."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()

    def once(self, key: str, read: Callable[[], T]) -> T:
        """What `read` returned when this key was first asked for; a failure is not remembered."""
        with self._lock:
            if key in self._known:
                known: T = self._known[key]
                return known
        value = read()
        with self._lock:
            self._known[key] = value
        return value

    def forget(self) -> None:
        """Read everything anew from now on."""
        with self._lock:
            self._known.clear()
