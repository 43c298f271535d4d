import io
import itertools
import time
from collections.abc import Callable

import pytest

from paintpipe.pipeline import progress
from paintpipe.pipeline.events import AttemptLost, Event, FrameDone, FrameRejected, RunEnded, RunStarted, StageTimed
from paintpipe.pipeline.progress import ProgressBar, format_seconds, track, track_checks
from paintpipe.pipeline.rate import Rate

EVENTS: list[Event] = [
    RunStarted("paint", 4, 2),
    StageTimed("decode", 0.5, 2),
    StageTimed("forward", 1.5, 2),
    FrameDone("00", 0),
    FrameRejected("00", "000001", "image cut short"),
    FrameDone("00", 1),
    RunEnded(),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(bar: ProgressBar) -> None:
    for event in EVENTS:
        bar(event)


def test_a_terminal_gets_a_bar_with_the_slowest_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    show(ProgressBar())
    assert "2/4" in terminal.getvalue()
    assert "slowest=forward" in terminal.getvalue()
    assert "rejected=1" in terminal.getvalue()
    assert list(track([1, 2], "ingest", "sequence")) == [1, 2]
    assert "2/2" in terminal.getvalue()


def test_quiet_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    show(ProgressBar(quiet=True))
    assert list(track(iter([1, 2]), "ingest", "sequence", quiet=True)) == [1, 2]
    assert terminal.getvalue() == ""


def test_checks_are_told_of_once_they_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    assert list(track_checks(iter("ab"), "points", 2, quiet=False)) == ["a", "b"]
    assert terminal.getvalue() == "", "over in an instant"
    monkeypatch.setattr(progress, "_UNSAID_S", 0.01)
    for _ in track_checks(iter("ab"), "layers/net", 2, quiet=False):
        time.sleep(0.15)
    assert "checking 2 painted shards of layers/net" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


def test_a_log_file_gets_no_bar_and_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(ProgressBar())
    assert capsys.readouterr().err == ""  # over within half a minute
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    show(ProgressBar())
    first, second, end = capsys.readouterr().err.splitlines()
    assert first.startswith("paint: 1 of 4 frames, ")
    assert "slowest forward" in first
    assert second.startswith("paint: 2 of 4 frames, ")
    assert "rejected 1" in second
    assert second.endswith(" left")
    assert end.startswith("paint: 2 of 4 frames, ")


def test_lines_come_at_their_pace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = itertools.count(0, 5)  # each look at the clock is five seconds later
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    list(track(range(30), "verify", "shard"))
    assert 3 <= len(capsys.readouterr().err.splitlines()) <= 12


def clock(now: list[float]) -> Callable[[], float]:
    return lambda: now[0]


def test_a_rate_is_steady_where_frames_come_in_bursts() -> None:
    now = [0.0]
    rate = Rate(clock(now))
    seen = []
    for second in range(1, 1201):
        now[0] = float(second)
        if second % 20 == 0:  # two workers that hand in 16 frames every 20 seconds
            rate.set(rate.total + 16)
            rate.set(rate.total + 16)
        if second > 120:
            seen.append(rate.per_s())
    assert min(seen) > 1.6 * 0.7
    assert max(seen) < 1.6 * 1.35
    assert rate.left_s(rate.total + 160) == pytest.approx(100, rel=0.1)


def test_a_rate_follows_a_change_and_forgets_the_start() -> None:
    now = [0.0]
    rate = Rate(clock(now))
    now[0] = 300.0  # five minutes until the first frame: a network was loaded
    for second in range(301, 3000):
        now[0] = float(second)
        rate.set(rate.total + (10 if second < 1500 else 2))
    assert rate.per_s() == pytest.approx(2, rel=0.01)
    assert len(rate._known) < 700


def test_a_rate_without_frames_knows_no_end() -> None:
    rate = Rate(clock([0.0]))
    assert (rate.per_s(), rate.left_s(5)) == (0.0, None)


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0:00:00"), (61, "0:01:01"), (36_000, "10:00:00")])
def test_seconds_as_people_read_them(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_what_a_lost_attempt_told_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    bar = ProgressBar()
    for event in (*EVENTS[:-1], AttemptLost("shard 0", "killed by signal 9", tuple(EVENTS[1:-1])), FrameDone("00", 0)):
        bar(event)
    bar(RunEnded())
    last = terminal.getvalue().rpartition("\r")[2]
    assert "1/4" in last
    assert "workers lost=1" in last
    assert "rejected" not in last
