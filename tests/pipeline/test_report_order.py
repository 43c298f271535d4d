"""Reports under clocks that were set back: the last run is the last one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paintpipe.pipeline import report
from paintpipe.pipeline.events import RunEnded, RunStarted


def run(folder: Path, command: str, monkeypatch: pytest.MonkeyPatch, when: datetime) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return when

    monkeypatch.setattr(report, "datetime", Clock)
    writer = report.RunReport(folder)
    writer(RunStarted(command, 1, 1))
    writer(RunEnded())


def test_the_last_report_is_of_the_last_run_whatever_the_clock_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for number, days in enumerate((0, 3650, -3, -3, 1)):
        run(tmp_path, f"run {number}", monkeypatch, now + timedelta(days=days))
        last = report.last_report(tmp_path)
        assert last is not None
        assert last["command"] == f"run {number}"
        assert last["started_at"].startswith(f"{now + timedelta(days=days):%Y-%m-%d}")
    assert len(list(tmp_path.glob("*.json"))) == 5


@pytest.mark.parametrize("name", ["2.json", "2x.json", "20250101T000000_999999Z.json", "2026.json"])
def test_a_stray_file_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_text("{")
    run(tmp_path, "run", monkeypatch, datetime(2026, 5, 1, tzinfo=UTC))
    last = report.last_report(tmp_path)
    assert last is not None
    assert last["command"] == "run"
