"""Reports of runs as pages list them: the newest first, damaged ones left out."""

from pathlib import Path

from paintpipe.pipeline.report import read_reports
from paintpipe.pipeline.tables import write_json


def test_the_newest_reports_come_first_and_damaged_ones_are_left_out(tmp_path: Path) -> None:
    for day in range(1, 6):
        write_json(tmp_path / f"2026010{day}T000000_000000Z.json", {"day": day})
    (tmp_path / "20260105T000000_000000Z.json").write_text("{")
    (tmp_path / "20260104T000000_000000Z.json").write_text("[1]")
    write_json(tmp_path / "now.json", {"day": 0})
    assert read_reports(tmp_path, 2) == ([{"day": 3}, {"day": 2}], 5)
    assert read_reports(tmp_path, 9) == ([{"day": 3}, {"day": 2}, {"day": 1}], 5)
    assert read_reports(tmp_path / "none", 9) == ([], 0)
