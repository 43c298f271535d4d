"""What is asked of a dask cluster, with bounded patience: a frozen worker answers nobody until dask gives it up."""

import asyncio
from collections.abc import Callable
from typing import Any

from paintpipe.pipeline.events import Warned
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import ClusterError, PaintpipeError, WorkerLostError

_WAITING = 3
"""Tasks that wait at each worker; results then come several at a time (benchmarks/dask_cost.py)."""
_ONCE_SILENT_S = 0.5
"""Patience once somebody has not answered: those who are awake do as they are told in less."""
_LOOK_S = 2.0
"""Patience with a scheduler that is asked who was silent."""
_NAMED = 5
"""Silent workers that are named before the others are counted."""


class Connected:
    """A connection to a scheduler that has workers.

    Args:
        client: dask's.
        settings: resources and patience.
        emit: is told of workers that don't answer.

    Attributes:
        client: dask's.
        address: the scheduler's.
    """

    def __init__(self, client: Any, settings: ExecutorSettings, emit: Emit) -> None:
        self.client = client
        self.address = str(client.scheduler.address)
        self._settings, self._emit = settings, emit
        self._patience_s = settings.grace_s
        self._known, self._silent = dict[str, Any](), list[str]()

    def workers(self) -> dict[str, Any]:
        """What the scheduler knows of each worker that offers the resources, by address; raises WorkerLostError."""
        if self.lost():
            raise self.lost_error()
        try:
            known = self._all_workers()
        except OSError as error:
            raise self.lost_error() from error
        wanted = self._settings.resources.items()
        return {
            address: worker
            for address, worker in known.items()
            if all(worker["resources"].get(name, 0) >= amount for name, amount in wanted)
        }

    def room(self) -> int:
        """Tasks that keep all workers busy: as many as run at once, and a few for each worker to go on with."""
        return sum(self._at_once(worker) + _WAITING for worker in self.workers().values())

    def _at_once(self, worker: dict[str, Any]) -> int:
        shares = [int(worker["resources"][name] / amount) for name, amount in self._settings.resources.items()]
        return min([int(worker["nthreads"]), *shares])

    def answers(self, call: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """What a call of dask's gives that every worker has to answer, before a run begins.

        Raises:
            ClusterError: some don't within `settings.answer_s`; it names them.
            WorkerLostError: the scheduler goes away meanwhile.
        """
        try:
            return self._within(self._settings.answer_s, call, *arguments, **options)
        except _SilentError as error:
            self._note(error)
            todo = "end or wake what does not answer (dask itself gives it up in time), then run the same command again"
            raise ClusterError(error.what(), where=self.address, todo=todo) from error
        except PaintpipeError:
            raise  # what a worker has to say, though it may be an OSError too
        except OSError as error:
            raise self.lost_error() from error

    def tell(self, call: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """What a call of dask's gives; None where the cluster is gone or some don't answer within `settings.grace_s`.

        Who is silent is told of once, and takes what it was told when it wakes.
        """
        try:
            return None if self.lost() else self._within(self._patience_s, call, *arguments, **options)
        except _SilentError as error:
            if not self._silent:
                self._emit(Warned(f"{error.what()}; left as it is"))
            self._note(error)
        except OSError:
            pass  # the scheduler goes away meanwhile
        return None

    def ask(self, function: Callable[..., Any], *arguments: object) -> list[Any]:
        """What a function returns on each worker; nothing the first time that some don't answer, then without those."""
        awake = [address for address in self._known if address not in self._silent] if self._silent else None
        found: dict[str, Any] | None = self.tell(
            self.client.run, function, *arguments, workers=awake, on_error="ignore"
        )
        return list((found or {}).values())

    def lost(self) -> bool:
        """Whether the scheduler is gone."""
        return bool(self.client.status != "running")

    def lost_error(self) -> WorkerLostError:
        """What to tell the user then."""
        todo = "what was finished is kept: start the cluster again, then run the same command again"
        return WorkerLostError("the dask scheduler went away during the run", where=self.address, todo=todo)

    def _note(self, error: "_SilentError") -> None:
        if error.patience_s > _ONCE_SILENT_S:  # in less, one that is awake may not have given a sign of life
            self._silent += [address for address in error.silent if address not in self._silent]
        self._patience_s = _ONCE_SILENT_S

    def _within(self, patience_s: float, call: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """What the call gives; raises _SilentError once patience is at its end."""

        async def looked() -> None:
            self._known = (await self.client.scheduler.identity())["workers"]

        async def called() -> Any:
            # On dask's own event loop its calls are coroutines.
            return (await asyncio.gather(call(*arguments, **options), looked()))[0]

        try:
            return self.client.sync(called, callback_timeout=patience_s)
        except TimeoutError as error:
            raise _SilentError(patience_s, self._unseen()) from error

    def _unseen(self) -> list[str]:
        """Workers that gave the scheduler no sign of life since they were asked, [] where it gives none itself."""
        try:
            now = self._all_workers(_LOOK_S)
        except OSError:
            return []
        seen = {address: worker["last_seen"] for address, worker in self._known.items()}
        return [address for address, worker in now.items() if worker["last_seen"] == seen.get(address)]

    def _all_workers(self, patience_s: float | None = None) -> dict[str, Any]:
        identity = self.client.sync(self.client.scheduler.identity, callback_timeout=patience_s)
        known: dict[str, Any] = identity["workers"]
        return known


class _SilentError(Exception):
    """Nobody has answered for some time.

    Args:
        patience_s: how long.
        silent: addresses of workers, [] where the scheduler itself says nothing.
    """

    def __init__(self, patience_s: float, silent: list[str]) -> None:
        super().__init__(patience_s, silent)
        self.patience_s, self.silent = patience_s, silent

    def what(self) -> str:
        """Who does not answer, in a line."""
        more = len(self.silent) - _NAMED
        names = ", ".join(self.silent[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        who = "the dask scheduler" if not names else f"worker{'s' * (len(self.silent) > 1)} {names}"
        return f"no answer from {who} for {self.patience_s:g} s"
