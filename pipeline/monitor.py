"""All who listen to a run, put together: bar, report, the file that `status` reads, warnings, and the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paintpipe.pipeline.event_log import EventLog
from paintpipe.pipeline.events import Bus, RunEnded
from paintpipe.pipeline.heartbeat import Heartbeat
from paintpipe.pipeline.progress import ProgressBar
from paintpipe.pipeline.report import RunReport
from paintpipe.pipeline.warning_log import WarningLog
from paintpipe.schemas.errors import PaintpipeError


@contextmanager
def listened(runs: Path, *, quiet: bool = False, log_json: Path | None = None) -> Iterator[Bus]:
    """A bus that all but the report listen to.

    Args:
        runs: folder of run reports, where `status` looks.
        quiet: no progress on standard error.
        log_json: file that every event is appended to, None for none.

    Raises:
        StoreError: the log can't be opened.
    """
    bus = Bus()
    bus.subscribe(ProgressBar(quiet=quiet))
    bus.subscribe(Heartbeat(runs))
    bus.subscribe(WarningLog())
    if log_json is None:
        yield bus
        return
    log = EventLog(log_json)
    bus.subscribe(log)
    try:
        yield bus
    finally:
        log.close()


@contextmanager
def monitored(runs: Path, *, quiet: bool = False, log_json: Path | None = None) -> Iterator[tuple[Bus, RunReport]]:
    """A bus that all listen to, and the report among them; see `listened`."""
    report = RunReport(runs)
    with listened(runs, quiet=quiet, log_json=log_json) as bus:
        bus.subscribe(report)
        yield bus, report


@contextmanager
def ended(bus: Bus) -> Iterator[None]:
    """Emit RunEnded after the block, with the one line of the error that ended it."""
    try:
        yield
    except BaseException as error:
        bus.emit(RunEnded(error.line() if isinstance(error, PaintpipeError) else type(error).__name__))
        raise
    bus.emit(RunEnded())
