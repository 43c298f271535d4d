"""Real S3 services on 127.0.0.1, one of each a test session, started when first asked for."""

import http.client
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SECRET = "a-secret-that-no-message-may-tell"
BUCKET = "paintpipe-tests"
_PATIENCE_S = 60


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def ask(port: int, method: str, path: str, body: bytes = b"") -> int:
    """The status of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Length": str(len(body))})
        return connection.getresponse().status
    finally:
        connection.close()


def _serving(command: list[str], port: int, folder: Path) -> Iterator[int]:
    """Run a server until the session ends; yields its port once it answers."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        until = time.monotonic() + _PATIENCE_S
        while not _answers(port):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, f"{command[0]} does not answer: {log.read_text()[-2000:]}"
            time.sleep(0.1)
        assert ask(port, "PUT", f"/{BUCKET}") == 200
        assert ask(port, "PUT", f"/{BUCKET}/first", b"1") == 200  # SeaweedFS lays out its volumes now
        yield port
    finally:
        process.kill()  # nothing of it is kept
        process.wait()


def _answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/") == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.fixture(scope="session")
def moto_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """moto's S3 service."""
    (port,) = free_ports(1)
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    yield from _serving(command, port, tmp_path_factory.mktemp("moto"))


@pytest.fixture(scope="session")
def seaweedfs_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """SeaweedFS: master, volume server, filer and S3 gateway in one process."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    names = ("master.port", "volume.port", "filer.port", "s3.port")
    ports = free_ports(2 * len(names))
    # Its gRPC ports are 10,000 above the others unless they are named too.
    options = [
        f"-{name}={port}" for name, port in zip((*names, *(f"{name}.grpc" for name in names)), ports, strict=True)
    ]
    command = [
        str(Path(sys.executable).parent / "weed"),
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
    ]
    command += [
        "-filer",
        "-s3",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=64",
        *options,
    ]
    yield from _serving(command, ports[3], folder)


def use_endpoint(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Point the usual environment variables at a service of this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


NewPlace = Callable[[str], str]
"""From the name of a service ("moto", "seaweedfs") to a fresh URL in its bucket."""


@pytest.fixture
def new_place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> NewPlace:
    """Points the environment at a service. All tests share a bucket: for each, SeaweedFS would set volumes aside."""

    def make(service: str) -> str:
        use_endpoint(monkeypatch, request.getfixturevalue(f"{service}_port"))
        return f"s3://{BUCKET}/{uuid.uuid4().hex}"

    return make


@pytest.fixture
def moto(new_place: NewPlace) -> str:
    """A fresh URL in moto's bucket."""
    return new_place("moto")
