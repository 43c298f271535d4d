"""Joining a dask cluster, and what can be said of it in one line where that fails."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from paintpipe import __version__
from paintpipe.pipeline.events import Warned
from paintpipe.pipeline.executors.cluster_calls import Connected
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import ClusterError, WorkerMismatchError

CONNECT_S = 10.0
"""Patience with a scheduler that is starting."""

_TLS_TODO = "see docs/cluster.md on TLS"


@contextmanager
def connect(settings: ExecutorSettings, emit: Emit) -> Iterator[Connected]:
    """Join the cluster for as long as the block runs.

    Raises:
        ClusterError: no scheduler there, no worker that offers the resources within `settings.start_s`, or workers that
            don't answer within `settings.answer_s`.
        WorkerMismatchError: the scheduler or a worker has no paintpipe, or another version.
    """
    with _quiet_logs():
        client = _client(settings)
        try:
            cluster = Connected(client, settings, emit)
            _warn_of_open_port(client, emit)
            _await_workers(cluster, settings)
            _check_versions(cluster)
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


def _check_versions(cluster: Connected) -> None:
    found = cluster.answers(cluster.client.get_versions, packages=["paintpipe"])
    places = {
        "the scheduler": found["scheduler"],
        **{f"worker {name}": each for name, each in found["workers"].items()},
    }
    for place, versions in places.items():
        version = (versions or {}).get("packages", {}).get("paintpipe")
        if version != __version__:
            what = f"has paintpipe {version}" if version else "has no paintpipe"
            todo = "install the same version in the environments of the scheduler and of every worker"
            raise WorkerMismatchError(f"{place} {what}", where=cluster.address, expected=__version__, todo=todo)


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
