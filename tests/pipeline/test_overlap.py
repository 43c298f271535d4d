import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.pipeline.overlap import prefetch


class Fault(Exception):
    pass


@given(st.lists(st.integers(), max_size=30), st.integers(0, 5), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_prefetch_keeps_order(items: list[int], depth: int, threads: int) -> None:
    assert list(prefetch(items, lambda item: item + 1, depth, threads)) == [item + 1 for item in items]


def test_prefetch_loads_ahead_but_not_too_far() -> None:
    loaded: list[int] = []
    second = threading.Event()

    def load(item: int) -> int:
        loaded.append(item)
        if item == 2:
            second.set()
        return item

    items = prefetch(range(100), load, depth=2)
    assert next(items) == 0
    assert second.wait(10), "items 1 and 2 load while 0 is being used"
    time.sleep(0.02)
    assert loaded == [0, 1, 2]
    items.close()  # type: ignore[attr-defined]
    assert len(loaded) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("loader")]


def test_prefetch_raises_in_the_place_of_the_item() -> None:
    def load(item: int) -> int:
        if item == 3:
            raise Fault
        return item

    seen: list[int] = []
    with pytest.raises(Fault):
        seen.extend(prefetch(range(10), load, depth=2, threads=2))
    assert seen == [0, 1, 2]
