"""Asking an object store for one object: what is worth asking again, and what a lost answer meant."""

import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from paintpipe.pipeline.folders.connect import client
from paintpipe.pipeline.folders.folder import check_relative
from paintpipe.pipeline.folders.refusals import is_absent, is_final, no_bucket, store_error
from paintpipe.pipeline.folders.urls import Address
from paintpipe.schemas.errors import StoreError

T = TypeVar("T")

ATTEMPT = "attempt"
"""The metadata key of attempt ids; one word, since Azure takes no hyphen and some proxies drop underscores."""

PAUSES_S = (0.1, 0.4, 1.5)


class Version(NamedTuple):
    """One version of an object: its content, its tag for a conditional PUT, and the attempt that wrote it."""

    content: bytes
    tag: dict[str, str]
    attempt: str


class Requests:
    """Requests about the objects below one address; paths are relative to it. Safe for several threads.

    The client itself repeats what the service answers with 5xx, and what never reached it. Here it is about the rest: a
    conflict, an answer that was cut off, a condition whose answer was lost.
    """

    def __init__(self, address: Address) -> None:
        self.address = address

    @property
    def client(self) -> Any:
        """The client of obstore."""
        return client(self.address)

    def where(self, path: str) -> str:
        """The URL of an object, for people."""
        return f"{self.address.url}/{path}" if path else self.address.url

    def key(self, path: str) -> str:
        """An object's name in the bucket; raises StoreError for a path that climbs."""
        check_relative(path)
        return f"{self.address.path}/{path}" if self.address.path else path

    def version(self, path: str) -> Version | None:
        """What an object holds, and by which attempt, None where it is absent. Raises StoreError."""

        def get() -> Version:
            found = obstore.get(self.client, self.key(path))
            tag = {key: value for key in ("e_tag", "version") if (value := found.meta.get(key)) is not None}
            return Version(bytes(found.bytes()), tag, found.attributes.get(ATTEMPT, ""))  # type: ignore[arg-type]

        try:
            return self.again(path, get)
        except FileNotFoundError:
            return None

    def conditional(self, path: str, content: bytes, mode: Any) -> bool:
        """A PUT with obstore's `mode` as its condition; True where it was this call that wrote the object."""
        attempt, key = uuid.uuid4().hex, self.key(path)
        for pause_s in (*PAUSES_S, None):
            try:
                obstore.put(self.client, key, content, mode=mode, attributes={ATTEMPT: attempt})
                return True
            except FileNotFoundError as error:
                if no_bucket(error) or mode == "create":
                    raise store_error(error, self.where(path)) from None
                return False  # it was to be replaced, and is gone
            except BaseError as error:
                found = self._settled(path, error)
                if found == attempt:
                    return True
                refused = isinstance(error, AlreadyExistsError | PreconditionError)
                another_has_it = found is not None if mode == "create" else refused
                if another_has_it:
                    return False
                # Nothing is there: a conflict that both sides lost, or a request that was lost before it was done.
                if not refused and (pause_s is None or is_final(error)):
                    raise store_error(error, self.where(path)) from None
            time.sleep(pause_s or 0)
        return False  # again and again, others came first and have gone

    def _settled(self, path: str, error: Exception) -> str | None:
        """The attempt that wrote what is there, None where nothing is; raises StoreError where that can't be told."""
        try:
            found = self.version(path)
        except StoreError:
            raise store_error(error, self.where(path)) from None
        return None if found is None else found.attempt

    def again(self, path: str, call: Callable[[], T]) -> T:
        """`call()` of obstore, asked again where that may help: after a conflict, or an answer that was cut off."""
        for pause_s in PAUSES_S:
            try:
                return self._once(path, call)
            except BaseError as error:
                if is_final(error):
                    raise store_error(error, self.where(path)) from None
            time.sleep(pause_s)
        try:
            return self._once(path, call)
        except BaseError as error:
            raise store_error(error, self.where(path)) from None

    def _once(self, path: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except FileNotFoundError as error:
            if no_bucket(error):
                raise store_error(error, self.where(path)) from None
            raise FileNotFoundError(f"no {self.where(path)}") from None
        except BaseError as error:
            if is_absent(error):  # deleted while it was read: the client went on after a cut, and met nothing
                raise FileNotFoundError(f"no {self.where(path)}") from None
            raise
        except ValueError as error:
            raise StoreError(str(error).partition("\n")[0], where=self.where(path), expected="a usual name") from None
