"""The executor that runs workers as processes of this machine, each in an environment of its own.

A pool of our own: `concurrent.futures` breaks as a whole with one dead worker, and neither it, nor loky, nor dask's
LocalCluster pins one worker to each GPU and keeps two shards under way in it while it starts as fast as an import.
"""

import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic

from paintpipe.pipeline.executors.attempts import Attempt, Backlog, lost_error
from paintpipe.pipeline.executors.contract import Emit, Job, R, T
from paintpipe.pipeline.executors.environment import thread_limits
from paintpipe.pipeline.executors.messages import Beat, Do, Done, End, Failed, GiveUp, Gone, Hello, Ready, Told
from paintpipe.pipeline.executors.pickles import pack, unpack
from paintpipe.pipeline.executors.process import WorkerProcess
from paintpipe.pipeline.executors.settings import ATTEMPTS, ExecutorSettings

_TICK_S = 0.5


class ProcessesExecutor:
    """Keeps `in_flight` tasks under way in each of `workers` processes.

    Workers start as tasks need them, and a dead or frozen one is replaced. They end with this process, however that
    ends.

    Args:
        settings: workers, their environments, threads and patience.
    """

    def __init__(self, settings: ExecutorSettings) -> None:
        self.settings = settings

    def run(self, tasks: Iterable[T], job: Job[T, R], emit: Emit) -> Generator[tuple[T, R], None, None]:
        """See `Executor.run`."""
        crew: _Crew[T, R] = _Crew(self.settings, Backlog(iter(tasks)), job, emit)
        try:
            yield from crew.run()
        finally:
            crew.close()


@dataclass
class _Member(Generic[T]):
    """A worker, and what it is doing."""

    slot: int
    process: WorkerProcess
    ready: bool = False
    silent_s: float = 0.0
    frozen: bool = False
    running: dict[int, Attempt[T]] = field(default_factory=dict)


class _Crew(Generic[T, R]):
    def __init__(self, settings: ExecutorSettings, backlog: Backlog[T], job: Job[T, R], emit: Emit) -> None:
        self._settings, self._backlog, self._emit = settings, backlog, emit
        in_main = threading.current_thread() is threading.main_thread()
        beat_s = min(5.0, settings.silence_s / 4)
        self._hello = Hello(pack(job), settings.in_flight, beat_s, os.getpid(), in_main)
        self._inbox: SimpleQueue[tuple[WorkerProcess, bytes]] = SimpleQueue()
        self._members: dict[WorkerProcess, _Member[T]] = {}
        self._stillborn = 0
        self._failure: BaseException | None = None

    def run(self) -> Iterator[tuple[T, R]]:
        results: list[tuple[T, R]] = []
        while True:
            if self._failure is None:
                self._fill_slots()
                self._hand_out()
            yield from results  # workers have their next tasks already, however long the caller takes
            if not any(member.running for member in self._members.values()) and (
                self._failure is not None or not len(self._backlog)
            ):
                break
            results = self._hear()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End all workers; those that don't within the grace are killed."""
        for process, member in self._members.items():
            if member.running:
                process.send(GiveUp())
            process.send(End())
        until = time.monotonic() + self._settings.grace_s
        for process in self._members:
            process.reap(max(0.01, until - time.monotonic()))
        self._members.clear()

    def _fill_slots(self) -> None:
        """Start workers in empty slots, as many as there are tasks for."""
        taken = {member.slot for member in self._members.values()}
        for slot in range(self._settings.workers):
            starting = sum(not member.ready for member in self._members.values())
            if slot not in taken and (len(self._backlog) > starting or self._backlog.take_one()):
                self._start(slot)

    def _start(self, slot: int) -> None:
        own = self._settings.environments[slot] if self._settings.environments else {}
        process = WorkerProcess(self._hello, {**thread_limits(self._settings.threads), **own}, self._inbox)
        self._members[process] = _Member(slot, process)

    def _hand_out(self) -> None:
        for process, member in self._members.items():
            while member.ready and not member.frozen and (attempt := self._next_for(member)) is not None:
                member.running[attempt.number] = attempt
                process.send(Do(attempt.number, pack(attempt.task)))

    def _next_for(self, member: _Member[T]) -> Attempt[T] | None:
        alone = any(attempt.lost for attempt in member.running.values())
        return None if alone else self._backlog.next_for(len(member.running), self._settings.in_flight)

    def _hear(self) -> list[tuple[T, R]]:
        """Take all that has arrived, or wait a moment for something; the results among it."""
        began, results = time.monotonic(), list[tuple[T, R]]()
        try:
            process, message = self._inbox.get(timeout=_TICK_S)
            while True:
                if process in self._members:  # else it was given up
                    results += self._take(self._members[process], unpack(message))
                process, message = self._inbox.get_nowait()
        except Empty:
            # Not the whole time: while this process was stopped itself, nobody listened.
            self._watch(min(time.monotonic() - began, 2 * _TICK_S))
        return results

    def _take(self, member: _Member[T], message: object) -> Iterator[tuple[T, R]]:
        member.silent_s = 0.0
        match message:
            case Ready():
                member.ready, self._stillborn = True, 0
            case Told(number, event):
                if number in member.running:
                    member.running[number].told.append(event)
                self._emit(event)
            case Done(number, result):
                yield member.running.pop(number).task, unpack(result)
            case Failed(number, error, trace):
                if number is not None:
                    del member.running[number]
                error.add_note(trace)
                self._failure = self._failure or error
            case Gone():
                self._lose(member)
            case Beat():
                pass

    def _watch(self, elapsed_s: float) -> None:
        """Kill workers that have been silent for too long; their end is then heard as any other's.

        One that is stuck in the kernel (a dead mount, a GPU's driver) does not end: it is given up.
        """
        for process, member in list(self._members.items()):
            member.silent_s += elapsed_s
            patience_s = self._settings.silence_s if member.ready else self._settings.start_s
            if member.silent_s > patience_s and not member.frozen:
                member.frozen = True
                process.kill()
            elif member.silent_s > patience_s + self._settings.grace_s:
                self._lose(member)

    def _lose(self, member: _Member[T]) -> None:
        """A worker is dead: its tasks go to others, and its slot to a new one."""
        del self._members[member.process]
        how = member.process.reap(self._settings.grace_s)
        if member.frozen:
            how = f"gave no sign of life for {self._settings.silence_s:g} s and was replaced"
        if not member.ready:
            self._stillborn += 1
            if self._stillborn >= ATTEMPTS:
                self._fail(lost_error("starting a worker", f"the worker {how}, {ATTEMPTS} times"))
        for attempt in member.running.values():
            self._emit(attempt.lose(how))
            if error := attempt.error(how):
                self._fail(error)
            else:
                self._backlog.give_back(attempt)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
