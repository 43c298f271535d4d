import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paintpipe.pipeline.overlap import BackgroundWriter, prefetch


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


def test_the_writer_runs_jobs_in_order_in_the_background() -> None:
    done: list[int] = []
    names: set[str] = set()

    def job(number: int) -> Callable[[], None]:
        return lambda: (done.append(number), names.add(threading.current_thread().name), None)[-1]

    with BackgroundWriter(depth=2) as writer:
        for number in range(20):
            writer.submit(job(number))
    assert done == list(range(20))
    assert threading.current_thread().name not in names


def test_the_writer_never_holds_more_than_its_depth() -> None:
    gate = threading.Event()
    submitted = []

    def feed() -> None:
        with BackgroundWriter(depth=2) as writer:
            for number in range(6):
                writer.submit(lambda: gate.wait(10) and None)
                submitted.append(number)

    feeder = threading.Thread(target=feed)
    feeder.start()
    time.sleep(0.1)
    assert submitted == [0, 1]
    gate.set()
    feeder.join(10)
    assert len(submitted) == 6


def test_a_failed_job_surfaces_and_those_behind_it_are_dropped() -> None:
    done: list[int] = []
    gate = threading.Event()

    def fail() -> None:
        gate.wait(10)
        raise Fault("disk")

    writer = BackgroundWriter(depth=5)
    writer.submit(fail)
    writer.submit(lambda: done.append(1))
    gate.set()
    with pytest.raises(Fault, match="disk"):
        writer.close()
    assert done == []

    def feed() -> None:
        with BackgroundWriter(depth=1) as writer:
            writer.submit(fail)
            for number in range(100):
                writer.submit(lambda number=number: done.append(number))  # type: ignore[misc]

    with pytest.raises(Fault, match="disk"):
        feed()
    assert done == []


def test_an_error_in_the_block_is_not_hidden_by_the_writer() -> None:
    done: list[int] = []

    def feed() -> None:
        with BackgroundWriter(depth=3) as writer:
            writer.submit(lambda: time.sleep(0.05))
            writer.submit(lambda: done.append(1))
            raise Fault("mine")

    with pytest.raises(Fault, match="mine"):
        feed()
    assert done == []
