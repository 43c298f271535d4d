"""Clients of object stores, by the address of a folder and the usual environment variables.

obstore is the client: one library for S3, GCS and Azure that writes an object only if it is absent or unchanged
(what marks and locks need), is typed, works without an event loop of ours, and is what zarr reads object stores with.
"""

import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paintpipe.pipeline.folders.urls import Address, without_secrets
from paintpipe.schemas.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

RETRIES: "RetryConfig" = {
    # An endpoint that refuses connections is given up after about a second, a silent one after about a minute.
    "max_retries": 4,
    "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2},
    "retry_timeout": timedelta(seconds=30),
}
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    "memory": (),
}
_lock = threading.Lock()
_clients: dict[tuple[int, str, str, str], Any] = {}


def client(address: Address) -> "ObjectStore":
    """The client of an address's bucket, one a process; paths are from the top of the bucket.

    Raises:
        ConfigError: the environment's settings make no sense to the client.
        MissingExtraError: obstore is not installed.
    """
    # A client's threads don't survive a fork: a child makes its own.
    key = (os.getpid(), address.scheme, address.bucket, _endpoint(address.scheme))
    with _lock:
        if key not in _clients:
            _clients[key] = _connect(address.scheme, address.bucket)
        made: ObjectStore = _clients[key]
    return made


def _connect(scheme: str, bucket: str) -> Any:
    try:
        from obstore import exceptions, store
    except ImportError as error:
        raise MissingExtraError(f"{scheme}:// URLs need obstore", todo='pip install "paintpipe[cloud]"') from error
    if scheme == "memory":
        return store.MemoryStore()
    options: dict[str, Any] = {"client_options": _client_options(scheme), "retry_config": RETRIES}
    if scheme == "s3" and (endpoint := _endpoint("s3")):
        options["endpoint"] = endpoint
    kinds: dict[str, Any] = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}
    try:
        return kinds[scheme](bucket, **options)
    except (exceptions.BaseError, ValueError, TypeError, OSError) as error:
        reason = without_secrets(str(error).partition("\n")[0])
        todo = "see the section on object stores in docs/store.md"
        raise ConfigError(f"can't use this URL ({reason})", where=f"{scheme}://{bucket}", todo=todo) from error


def _client_options(scheme: str) -> "ClientConfig":
    # A part of an upload is at most 16 MB: a minute is enough for it on a line of 2 Mbit/s.
    options: ClientConfig = {"connect_timeout": "4s", "timeout": "60s"}
    # Who names an http endpoint means it: MinIO in the same room, an emulator, a test.
    if urlsplit(_endpoint(scheme)).scheme == "http":
        options["allow_http"] = True
    return options


def _endpoint(scheme: str) -> str:
    return next((os.environ[name] for name in _ENDPOINTS[scheme] if os.environ.get(name)), "")
