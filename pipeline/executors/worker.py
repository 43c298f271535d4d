"""The main function of a worker process: set up the job, then work on tasks until told to end."""

import ctypes
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from paintpipe.pipeline.events import Event
from paintpipe.pipeline.executors.messages import Beat, Do, Done, End, Failed, FromWorker, GiveUp, Hello, Ready, Told
from paintpipe.pipeline.executors.pickles import pack, unpack
from paintpipe.pipeline.executors.stop import StopSwitch

_PR_SET_PDEATHSIG = 1


def main(descriptor: int) -> None:
    """Serve the coordinator at the other end of an open socket; never returns.

    Ctrl-C is the coordinator's to handle. Whatever else happens to the coordinator, this process ends with it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(descriptor, False)  # a program that a library starts would keep it open beyond our end
    connection: Connection[Any, Any] = Connection(descriptor)
    hello: Hello = connection.recv()
    _die_with(hello)
    worker = _Worker(connection, hello)
    threading.Thread(target=worker.beat, name="beat", daemon=True).start()
    worker.serve()
    sys.stderr.flush()
    # Not sys.exit: interpreters with loaded networks take long to tidy up, and nothing is left to be saved.
    os._exit(0)


def _die_with(hello: Hello) -> None:
    """Have the kernel kill this process, even a frozen one, with the coordinator."""
    if hello.dies_with_thread and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != hello.parent:
        os._exit(1)


class _Worker:
    def __init__(self, connection: "Connection[Any, Any]", hello: Hello) -> None:
        self._connection, self._hello = connection, hello
        self._sending = threading.Lock()
        self._switch = StopSwitch()
        self._emit = self._switch.guard(self._tell)
        self._here = threading.local()

    def serve(self) -> None:
        """Until told to end."""
        try:
            work = unpack(self._hello.job).setup(self._emit)
        except BaseException as error:  # whatever it is, the coordinator has to hear of it
            self._send(_failed(None, error))
            self._await_end()
            return
        self._send(Ready())
        pool = ThreadPoolExecutor(self._hello.in_flight, thread_name_prefix="worker")
        while not isinstance(message := self._receive(), End):
            if isinstance(message, Do):
                pool.submit(self._do, work, message)
            elif isinstance(message, GiveUp):
                self._switch.turn_on()
        pool.shutdown(wait=True, cancel_futures=True)

    def beat(self) -> None:
        """Show the coordinator that this process lives; end it where there is no coordinator any more."""
        while os.getppid() == self._hello.parent:
            self._send(Beat())
            time.sleep(self._hello.beat_s)
        os._exit(1)

    def _await_end(self) -> None:
        while not isinstance(self._receive(), End):
            pass

    def _do(self, work: Callable[[Any], Any], message: Do) -> None:
        self._here.number = message.number
        try:
            reply: FromWorker = Done(message.number, pack(work(unpack(message.task))))
        except BaseException as error:  # as above
            reply = _failed(message.number, error)
        self._send(reply)

    def _tell(self, event: Event) -> None:
        self._send(Told(getattr(self._here, "number", None), event))

    def _receive(self) -> object:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            os._exit(1)

    def _send(self, message: FromWorker) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except OSError:
            os._exit(1)  # the coordinator is gone


def _failed(number: int | None, error: BaseException) -> Failed:
    """The error as it can travel: one that can't be pickled and read again goes as its text."""
    trace = f"in worker {socket.gethostname()}:{os.getpid()}:\n{''.join(traceback.format_exception(error))}"
    try:
        unpack(pack(error))
    except Exception:  # the __reduce__ and __init__ of any class may raise anything
        error = RuntimeError(f"{type(error).__name__}: {error}")
    return Failed(number, error, trace)
