"""Threads that take turns at computing."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from paintpipe.pipeline.events import Event, StageTimed
from paintpipe.pipeline.turns import BusInTurns, Turns


def most_at_once(turns: Turns, callers: int, *, all_threads: bool = False) -> int:
    inside, most, guard = 0, 0, threading.Lock()

    def compute(number: int) -> None:
        nonlocal inside, most
        with turns.take(all_threads=all_threads and number % 3 == 0):
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0.005)
            with guard:
                inside -= 1

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(compute, range(4 * callers)))
    return most


def test_no_more_threads_compute_at_once_than_were_given() -> None:
    assert most_at_once(Turns(1), 4) == 1
    assert most_at_once(Turns(2), 6) == 2
    assert most_at_once(Turns(), 6) > 2


def test_one_that_wants_all_threads_has_them_alone_and_is_not_passed_over() -> None:
    turns, order = Turns(2), list[str]()
    first, queued = threading.Event(), threading.Event()

    def small(name: str) -> None:
        with turns.take():
            order.append(name)
            first.set()
            queued.wait(5)

    def large() -> None:
        with turns.take(all_threads=True):
            order.append("large")

    threads = [threading.Thread(target=small, args=("before",)), threading.Thread(target=large)]
    threads[0].start()
    assert first.wait(5)
    threads[1].start()
    while len(turns._queue) < 1:
        time.sleep(0.001)
    threads.append(threading.Thread(target=small, args=("after",)))
    threads[2].start()
    while len(turns._queue) < 2:
        time.sleep(0.001)
    assert order == ["before"], "a thread is free, but who came first wants both"
    queued.set()
    for thread in threads:
        thread.join(5)
    assert order == ["before", "large", "after"]


def test_a_turn_ends_with_an_error() -> None:
    turns, taken = Turns(1), 0
    for _ in range(2):
        with pytest.raises(ValueError), turns.take():
            raise ValueError
        taken += 1
    with turns.take():
        taken += 1
    assert taken == 3


def test_waiting_for_a_turn_is_not_in_the_time_of_a_stage() -> None:
    bus, events = BusInTurns(Turns(1)), list[Event]()
    bus.subscribe(events.append)
    entered = threading.Event()

    def hold() -> None:
        with bus.turns.take():
            entered.set()
            time.sleep(0.1)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(5)
    with bus.timed("publish"):
        assert holder.is_alive(), "writing waits for no turn"
    with bus.timed("paint", 3):
        holder.join(0.05)
        assert not holder.is_alive()
    times = [event for event in events if isinstance(event, StageTimed)]
    assert [(event.stage, event.items) for event in times] == [("publish", 1), ("paint", 3)]
    assert all(event.seconds < 0.09 for event in times)
