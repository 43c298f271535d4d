"""The demo, at its smallest: every step of it, on one frame and one keyframe."""

from dataclasses import replace
from pathlib import Path

import pytest

from paintpipe.workflows import demo as module


def test_the_demo_makes_tables_pictures_and_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTS", tuple(replace(part, frames=1) for part in module.PARTS))
    text = module.demo(tmp_path / "out", quiet=True)
    assert "street-tiny" in text
    assert "paintpipe ingest kitti" in text
    page = (tmp_path / "out/index.html").read_text()
    assert page.count("data:image/png;base64,") >= 6
    assert "http:" not in page.split("<body")[1].replace("http://www.w3.org", "")
    for layout in ("semantickitti", "nuscenes"):
        workspace = tmp_path / "out" / layout
        assert (workspace / "tables/summary.csv").is_file()
        assert list((workspace / "figures").glob("street-tiny-*.png"))
        for name in ("report.html", "scene-3d.html"):
            assert (workspace / name).is_file()
            assert f'href="{layout}/{name}"' in page
            assert str(workspace / name) in text
    assert list((tmp_path / "out/semantickitti/figures").glob("*.mp4"))
    assert str(tmp_path / "out/index.html") in text
