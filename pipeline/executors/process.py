"""One worker process as the coordinator sees it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from paintpipe.pipeline.executors.messages import Gone, Hello, ToWorker
from paintpipe.pipeline.executors.pickles import pack

_DEATH_S = 2.0
"""What a killed process may take to hand back its memory, and a GPU's."""
_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[2])
from paintpipe.pipeline.executors.worker import main
main(int(sys.argv[1]))
"""


class WorkerProcess:
    """Starts a worker; its messages, pickled, arrive in `inbox` as (self, bytes), the last one a pickled `Gone`.

    A fresh interpreter in a session of its own, so that environment variables count from its first instruction and
    the terminal's Ctrl-C reaches the coordinator alone. Threads read and write the socket: a frozen worker blocks
    neither.

    Args:
        hello: the first message.
        environment: beside the coordinator's own variables.
        inbox: shared by all workers.
    """

    def __init__(
        self, hello: Hello, environment: Mapping[str, str], inbox: "SimpleQueue[tuple[WorkerProcess, bytes]]"
    ) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno()), json.dumps(sys.path)],
                env=os.environ | environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # standard output is for results
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._connection: Connection[Any, Any] = Connection(ours.detach())
        self._inbox, self._outbox = inbox, SimpleQueue[bytes | None]()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._read, self._write)]
        for thread in self._threads:
            thread.start()
        self.send(hello)

    def send(self, message: ToWorker) -> None:
        """Say something; what a dead worker doesn't hear is lost."""
        self._outbox.put(pack(message))

    def kill(self) -> None:
        """End it now, frozen or not."""
        self._process.kill()

    def reap(self, timeout_s: float) -> str:
        """Wait for its end, kill it where that takes longer, and say how it ended, as in `was killed by SIGKILL`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            try:
                self._process.wait(max(timeout_s, _DEATH_S))
            except subprocess.TimeoutExpired:
                return "can't be killed"  # stuck in the kernel, as on a dead NFS mount; what it writes does no harm
        self._outbox.put(None)
        for thread in self._threads:
            thread.join()
        self._connection.close()
        return _ending(self._process.returncode)

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put((self, self._connection.recv_bytes()))
        except (EOFError, OSError):
            self._inbox.put((self, pack(Gone())))

    def _write(self) -> None:
        try:
            while (message := self._outbox.get()) is not None:
                self._connection.send_bytes(message)
        except OSError:
            return  # it is dead, which `_read` tells


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-code).name}{hint}"
