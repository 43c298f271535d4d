"""Pictures are drawn from the layer's own painter, and of every frame whatever its size."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import pytest
from support.command import paintpipe, succeed

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.view.canvas import letterboxed
from paintpipe.stages.view.page import Table
from paintpipe.workflows import demo as demo_module
from paintpipe.workflows import view as view_module
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.choose_painter import PainterChoice
from paintpipe.workflows.layers import frame_arrays, open_layers
from paintpipe.workflows.painters import NetworkPainter
from paintpipe.workflows.pictures import PictureSource
from paintpipe.workflows.stores import existing_store
from paintpipe.workflows.view_3d import _forward_rad

Paint = Callable[..., str]


def source(path: Path, layer: str, **given: Any) -> PictureSource:
    catalog, opened = open_catalog(path / "catalog"), existing_store(path)
    (found,) = open_layers(opened, catalog, (layer,))
    return PictureSource(Workspace(path), catalog, opened, found, LocalRoot(catalog.info.root), PainterChoice(**given))


def test_the_oracle_has_no_segmented_picture_even_on_synthetic_data(workspace: Path) -> None:
    succeed("paint", "-w", workspace, "--oracle", "-q", "--limit", 1)
    assert source(workspace, "oracle").painter is None
    written = succeed("view", "-w", workspace, "--single").split()
    assert [Path(path).stem for path in written] == ["oracle-08-000000-image_2-points", "oracle-08-000000-birds-eye"]
    assert source(workspace, "oracle", model="street-tiny").painter is not None


def test_a_network_is_run_again_as_the_layer_was_painted(workspace: Path) -> None:
    options = ("--tta", "0.75,1,flip", "--input-size", "320x96", "--batch-size", 2, "--threads-per-worker", 1)
    succeed("paint", "-w", workspace, "-q", "--limit", 1, "--layer", "small", *options)
    painter = source(workspace, "small", segment=SegmentSettings(device="cpu")).painter
    assert isinstance(painter, NetworkPainter)
    segment = painter.identity["segment"]
    assert (segment["tta_scales"], segment["tta_flip"], segment["input_size_px"]) == ([0.75, 1.0], True, [96, 320])
    assert (segment["batch_size"], segment["threads"], segment["device"]) == (2, 1, "cpu")


def test_other_weights_than_the_layers_are_not_drawn_as_its_own(workspace: Path) -> None:
    succeed("paint", "-w", workspace, "-q", "--limit", 1)
    there = source(workspace, "street-tiny")
    assert there.painter is not None
    there = source(workspace, "street-tiny")
    there.layer.table.attributes["painter"]["weights"] = "0" * 64  # type: ignore[index]
    assert there.painter is None


def test_a_picture_of_another_shape_is_fitted_whole_and_centred() -> None:
    first, other = np.full((40, 100, 3), 200, np.uint8), np.full((80, 100, 3), 100, np.uint8)
    fitted = letterboxed(other, 100, 40)
    assert fitted.shape == first.shape
    assert (fitted[:, 25:75] == 100).all()
    assert not (fitted[:, :25] == 100).any()
    assert not (fitted[:, 75:] == 100).any()
    assert letterboxed(first, 100, 40) is first


def test_every_frame_of_a_video_takes_the_size_of_the_first(
    workspace: Path, paint_masks: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint_masks(workspace)
    draw, sizes = (
        view_module.at_a_glance,
        iter([(120, 300), (120, 300), (118, 299), (90, 360), (121, 301), (300, 120)]),
    )
    monkeypatch.setattr(view_module, "at_a_glance", lambda *given: cv2.resize(draw(*given), next(sizes)[::-1]))
    (video,) = succeed("view", "-w", workspace, "--video", "-q").split()
    capture = cv2.VideoCapture(video)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (300, 120)
    capture.release()


def test_a_frame_is_looked_up_once_a_sequence(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    there = source(workspace, "masks")
    with mock.patch.object(Catalog, "column", autospec=True, side_effect=Catalog.column) as column:
        assert view_module._place(there, there.layer, "08/000004") == ("08", 4)
        assert view_module._place(there, there.layer, "000003") == ("08", 3)
    assert column.call_count == 2
    with pytest.raises(ConfigError, match="no painted frame"):
        view_module._place(there, there.layer, "07/000004")


def test_a_video_where_nothing_can_be_written_is_one_line(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--limit", 1)
    done = paintpipe("view", "-w", workspace, "--video", "-q", "--out", "/proc/zz")
    assert done.code == 2
    assert done.err.startswith("paintpipe: /proc/zz: ")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--sequence", "08"),
        ("--video", "--frame", "08/000001"),
        ("--charts", "--single"),
        ("--charts", "--video"),
        ("--3d", "--video"),
        ("--3d", "--single"),
        ("--3d", "--model", "street-tiny"),
    ],
)
def test_options_that_do_nothing_together_are_refused(workspace: Path, options: tuple[str, ...]) -> None:
    done = paintpipe("view", "-w", workspace, *options)
    assert done.code == 2
    assert "does nothing" in done.err


def test_the_demo_prints_three_tables_and_shows_all(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--limit", 1)
    succeed("evaluate", "-w", workspace, "-q")
    steps = {name: mock.Mock() for name in ("synth", "ingest", "paint", "evaluate", "report", "view")}
    part = replace(demo_module.PARTS[0], layout=workspace.name)  # type: ignore[arg-type]  # the folder's name
    with mock.patch.multiple(demo_module, _pictures=lambda *_: [], **steps):
        printed, shown = demo_module._part(part, workspace.parent, 7, quiet=True)
    titles = [line for line in printed.splitlines() if line.startswith("#")]
    scores = ["Scores", "IoU by class, points in view", "Accuracy on and off depth edges, points in view"]
    assert titles == [f"## {title}" for title in scores]
    captions = [section.caption for section in shown if isinstance(section, Table)]
    assert set(captions) > set(scores)
    texts = [text for part in demo_module.PARTS for text in (part.title, part.story)]
    assert not any("`" in text for text in texts)


def test_the_3d_page_of_a_frame_and_of_a_sequence(workspace: Path, paint_masks: Paint, tmp_path: Path) -> None:
    paint_masks(workspace)
    (first,) = succeed("view", "-w", workspace, "--3d").split()
    assert Path(first) == workspace / "figures" / "masks-08-000000-3d.html"
    (third,) = succeed("view", "-w", workspace, "--3d", "--frame", "08/000003", "--out", tmp_path / "a.html").split()
    assert Path(third) == tmp_path / "a.html"
    assert "<title>08 / 000003</title>" in (tmp_path / "a.html").read_text()
    (again,) = succeed("view", "-w", workspace, "--3d", "--sequence", "08", "--out", tmp_path / "pages").split()
    assert Path(again).name == "masks-08-000000-3d.html"
    done = paintpipe("view", "-w", workspace, "--3d", "--sequence", "07")
    assert done.code == 2
    assert "no painted sequence '07'; expected one of 08" in done.err


def test_pixels_on_the_3d_page_are_those_that_gave_the_scores(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--limit", 1, "--provenance", "full")
    (page,) = succeed("view", "-w", workspace, "--3d").split()
    scene = json.loads(Path(page).read_text().split('id="scene">')[1].split("</script>")[0])
    told = []
    for name in ("pixel_col", "pixel_row"):
        low, high = np.frombuffer(zlib.decompress(base64.b64decode(scene[name])), np.uint8).reshape(2, -1)
        told.append(np.cumsum(low + 256 * high.astype(np.int64)) % 65536)
    found = source(workspace, "masks")
    pixel_px = frame_arrays(found.opened, found.layer, found.frame("08", 0).row, None)["pixel_px"]
    seen = np.isfinite(pixel_px[:, 0])
    assert seen.sum() > 5_000
    assert np.array_equal(np.array(told).T[seen], np.floor(pixel_px[seen]))
    assert (np.array(told).T[~seen] == (65535, 0)).all()


def test_forward_on_the_3d_page_is_the_vehicles(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace, "--limit", 1)
    row = source(workspace, "masks").frame("08", 0).row
    assert _forward_rad(row) == 0.0
    turned = np.eye(4)
    turned[:2, :2] = [[0.0, 1.0], [-1.0, 0.0]]  # nuScenes: the LiDAR's +y is the vehicle's +x
    assert _forward_rad(replace(row, ego_SE3_lidar=turned)) == pytest.approx(np.pi / 2)
    assert _forward_rad(replace(row, ego_SE3_lidar=None)) == 0.0
