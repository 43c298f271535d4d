"""Giving up work in threads, which can't be killed: their next event raises."""

import threading

from paintpipe.pipeline.events import Event
from paintpipe.pipeline.executors.contract import Emit


class Stopped(Exception):
    """The run is being given up (Ctrl-C, a closed loop); ends the work on a task from within. Nobody sees it."""


class StopSwitch:
    """Once on, every event of guarded work raises Stopped: a shard ends within a frame, whole or unmarked."""

    def __init__(self) -> None:
        self._on = threading.Event()

    def turn_on(self) -> None:
        """Give up."""
        self._on.set()

    @property
    def is_on(self) -> bool:
        """Whether work is being given up."""
        return self._on.is_set()

    def guard(self, emit: Emit) -> Emit:
        """`emit` for the work that is to stop."""

        def guarded(event: Event) -> None:
            if self._on.is_set():
                raise Stopped
            emit(event)

        return guarded
