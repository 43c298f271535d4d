"""`paintpipe paint --decode reduced`: the same geometry from smaller images, said in the layer, never the default."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from support.command import paintpipe, succeed

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.choose_painter import PainterChoice, network
from paintpipe.workflows.frame_io import FrameFiles

SMALL = ("--input-size", "96x32", "--overlap", "first")


@pytest.fixture(scope="module")
def painted(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene painted from full and from reduced images, in one store."""
    workspace = tmp_path_factory.mktemp("reduced") / "w"
    succeed("ingest", "nuscenes", scene, "-w", workspace, "-q")
    for decode in ("full", "reduced"):
        succeed("paint", "-w", workspace, "--model", "street-tiny", *SMALL, "--decode", decode, "--layer", decode, "-q")
    return workspace


def _layer(workspace: Path, name: str) -> zarr.Group:
    return zarr.open_group(workspace / "painted.zarr", path=f"scene-0103/layers/{name}", mode="r")


def test_the_same_points_are_painted_and_most_get_the_same_class(painted: Path) -> None:
    full, reduced = _layer(painted, "full"), _layer(painted, "reduced")
    for name in ("camera", "flags"):
        assert np.array_equal(full[name][...], reduced[name][...])
    seen = (full["flags"][...] & 1) > 0
    labels = full["label"][...][seen], reduced["label"][...][seen]
    assert seen.sum() > 1000
    assert 0.9 < (labels[0] == labels[1]).mean() < 1.0  # the images do differ


def test_the_layer_says_how_its_images_were_decoded(painted: Path) -> None:
    for name in ("full", "reduced"):
        assert _layer(painted, name).attrs["painter"]["segment"]["decode"] == name


def test_a_layer_is_not_taken_up_with_the_other_decoding(painted: Path) -> None:
    done = paintpipe("paint", "-w", painted, "--model", "street-tiny", *SMALL, "--layer", "reduced", "-q")
    assert done.code == 2
    assert "segment.decode: reduced → full" in done.err


def test_scores_span_the_image_as_it_was_taken(painted: Path) -> None:
    catalog = open_catalog(painted / "catalog")
    row = catalog.images("scene-0103", 0, 1)[0]
    painter = network(
        PainterChoice("street-tiny", segment=SegmentSettings(threads=1, input_size_px=(32, 96), decode="reduced"))
    )
    files = FrameFiles(LocalRoot(catalog.info.root))
    image = painter.load(files, row)
    assert image is not None
    assert image.rgb.shape == (56, 104, 3)
    assert image.full_px == (112, 208)
    scores = painter.pixels([image])[0]
    assert scores.extent_px == (112, 208)
    assert files.rejected == []
