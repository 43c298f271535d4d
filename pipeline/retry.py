"""Asking again where a disk or a service is likely to answer the next time."""

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_TRANSIENT = frozenset(
    {errno.EIO, errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT, errno.ESTALE, errno.ECONNRESET, errno.ECONNABORTED}
    | {errno.EPIPE, errno.ENETRESET, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EREMOTEIO, errno.EBUSY}
)


@dataclass(frozen=True)
class Patience:
    """How long to go on asking.

    Attributes:
        pauses_s: seconds before the second attempt, the third and so on.
        sleep: how to wait; tests don't.
    """

    pauses_s: tuple[float, ...] = (0.1, 0.5, 2.0)
    sleep: Callable[[float], None] = time.sleep


def is_transient(error: OSError) -> bool:
    """Whether asking again may help: no for what is absent or forbidden, yes for time-outs and lost connections."""
    return error.errno in _TRANSIENT or isinstance(error, TimeoutError | ConnectionError)


def retrying(call: Callable[[], T], patience: Patience, on_retry: Callable[[OSError], None]) -> T:
    """`call()`, again after a pause where it fails for a reason that may pass; the last failure is raised.

    Args:
        call: may raise OSError.
        patience: when to give up.
        on_retry: told of each failure that is not the last.
    """
    for pause_s in patience.pauses_s:
        try:
            return call()
        except OSError as error:
            if not is_transient(error):
                raise
            on_retry(error)
        patience.sleep(pause_s)
    return call()
