"""Warnings of a run on the log, each once, as they come."""

import logging

from paintpipe.pipeline.events import AttemptLost, Event, Warned

_LOG = logging.getLogger("paintpipe")


class WarningLog:
    """Logs `Warned` and `AttemptLost` events; Python shows warnings of a log that nobody set up on standard error."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Warned(message) if message not in self._said:
                self._said.add(message)
                _LOG.warning("paintpipe: %s", message)
            case AttemptLost(task, reason):
                _LOG.warning("paintpipe: %s: its worker %s; another one takes it up", task, reason)
