"""Joining a dask cluster, and what can be said of it in one line where that fails."""

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from paintpipe import __version__
from paintpipe.pipeline.events import Warned
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import ClusterError, WorkerLostError, WorkerMismatchError

CONNECT_S = 10.0
"""Patience with a scheduler that is starting."""

_WAITING = 3
"""Tasks that wait at each worker; results then come several at a time (benchmarks/dask_cost.py)."""
_TLS_TODO = "see docs/cluster.md on TLS"


class Connected:
    """A connection to a scheduler that has workers.

    Attributes:
        client: dask's.
        address: the scheduler's.
    """

    def __init__(self, client: Any, resources: dict[str, float]) -> None:
        self.client = client
        self.address = str(client.scheduler.address)
        self._resources = resources

    def workers(self) -> dict[str, Any]:
        """What the scheduler knows of each worker that offers the resources, by address; raises WorkerLostError."""
        if self.lost():
            raise self.lost_error()
        try:
            identity = self.client.sync(self.client.scheduler.identity)
        except OSError as error:
            raise self.lost_error() from error
        return {
            address: worker
            for address, worker in identity["workers"].items()
            if all(worker["resources"].get(name, 0) >= amount for name, amount in self._resources.items())
        }

    def room(self) -> int:
        """Tasks that keep all workers busy: as many as run at once, and a few for each worker to go on with."""
        return sum(self._at_once(worker) + _WAITING for worker in self.workers().values())

    def _at_once(self, worker: dict[str, Any]) -> int:
        shares = [int(worker["resources"][name] / amount) for name, amount in self._resources.items()]
        return min([int(worker["nthreads"]), *shares])

    def ask(self, function: Callable[..., Any], *arguments: object) -> list[Any]:
        """What a function returns on each worker; those that don't answer are left out."""
        try:
            found: dict[str, Any] = self.client.run(function, *arguments, on_error="ignore")
        except OSError:
            return []  # nor does the scheduler
        return list(found.values())

    def lost(self) -> bool:
        """Whether the scheduler is gone."""
        return self.client.status != "running"

    def lost_error(self) -> WorkerLostError:
        """What to tell the user then."""
        todo = "what was finished is kept: start the cluster again, then run the same command again"
        return WorkerLostError("the dask scheduler went away during the run", where=self.address, todo=todo)


@contextmanager
def connect(settings: ExecutorSettings, emit: Emit) -> Iterator[Connected]:
    """Join the cluster for as long as the block runs.

    Raises:
        ClusterError: no scheduler there, or no worker that offers the resources, within `settings.start_s`.
        WorkerMismatchError: the scheduler or a worker has no paintpipe, or another version.
    """
    with _quiet_logs():
        client = _client(settings)
        try:
            cluster = Connected(client, dict(settings.resources))
            _warn_of_open_port(client, emit)
            _await_workers(cluster, settings)
            _check_versions(client)
            yield cluster
        finally:
            client.close(timeout=settings.grace_s)


def _client(settings: ExecutorSettings) -> Any:
    from distributed.client import Client

    where = settings.scheduler or settings.scheduler_file
    patience_s = min(CONNECT_S, settings.start_s)
    try:
        address = settings.scheduler or json.loads(Path(settings.scheduler_file).read_bytes())["address"]
        _await_port(str(address), patience_s)
        return cast(Any, Client)(address, timeout=patience_s, set_as_default=False, name="paintpipe")
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        todo = "start one with `dask scheduler`, or see docs/cluster.md"
        raise ClusterError(f"no dask scheduler answers ({reason})", where=where, todo=todo) from error


def _await_port(address: str, patience_s: float) -> None:
    """Whether anybody listens, patiently; a `Client` that fails to connect complains again when Python ends."""
    from distributed.comm.addressing import get_address_host_port
    from distributed.security import Security

    scheme, security = urlsplit(address).scheme, cast(Any, Security)()
    if scheme == "tls" and security.get_connection_args("client").get("ssl_context") is None:
        raise ValueError("tls:// needs certificates, named in dask's configuration under distributed.comm.tls")
    host, port = get_address_host_port(address)
    until = time.monotonic() + patience_s
    while scheme in ("", "tcp", "tls"):
        try:
            socket.create_connection((host, port), timeout=patience_s).close()
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _warn_of_open_port(client: Any, emit: Emit) -> None:
    """Whoever reaches a scheduler's port can run code on all of its workers."""
    addresses = {str(client.scheduler.address), str(client.sync(client.scheduler.identity)["address"])}
    exposed = sorted(address for address in addresses if is_exposed(address))
    if exposed:
        what = f"the dask scheduler listens at {exposed[0]} without TLS: whoever reaches that port can run code there"
        emit(Warned(f"{what}; {_TLS_TODO}"))


def is_exposed(address: str) -> bool:
    """Whether a scheduler's address is reached from other machines in the clear."""
    parts = urlsplit(address)
    if parts.scheme in ("tls", "wss", "inproc") or parts.hostname in (None, "localhost"):
        return False
    try:
        return not ip_address(parts.hostname).is_loopback
    except ValueError:
        return True  # a name


def _await_workers(cluster: Connected, settings: ExecutorSettings) -> None:
    until = time.monotonic() + settings.start_s
    while not cluster.workers():
        if time.monotonic() > until:
            offering = "".join(f" offering {name}={amount:g}" for name, amount in settings.resources.items())
            options = ' --resources "GPU=2"' if offering else ""
            todo = f"start some with `dask worker{options}`, see docs/cluster.md"
            raise ClusterError(f"the scheduler has no worker{offering}", where=cluster.address, todo=todo)
        time.sleep(0.2)


def _check_versions(client: Any) -> None:
    found = client.get_versions(packages=["paintpipe"])
    places = {
        "the scheduler": found["scheduler"],
        **{f"worker {name}": each for name, each in found["workers"].items()},
    }
    for place, versions in places.items():
        version = (versions or {}).get("packages", {}).get("paintpipe")
        if version != __version__:
            what = f"has paintpipe {version}" if version else "has no paintpipe"
            todo = "install the same version in the environments of the scheduler and of every worker"
            raise WorkerMismatchError(
                f"{place} {what}", where=str(client.scheduler.address), expected=__version__, todo=todo
            )


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Dask logs what happens to its connections at length; what matters is told in one line."""
    names = ("distributed", "distributed.client", "distributed.batched", "distributed.comm", "distributed.core")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
