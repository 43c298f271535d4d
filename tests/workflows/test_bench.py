import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command import content, paintpipe, succeed

from paintpipe.pipeline.stage_cost import StageCost
from paintpipe.pipeline.steady_rate import SteadyRate
from paintpipe.stages.synth.settings import SynthSettings
from paintpipe.stages.synth.write import write_semantickitti
from paintpipe.workflows import bench_compare
from paintpipe.workflows.bench_result import BenchResult
from paintpipe.workflows.bench_sample import SEQUENCE, sample_of
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.stores import existing_store

STAGES = ["read", "decode", "forward", "project + sample", "write"]
QUICK = ("--executor", "serial", "--frames", 6, "--frames-per-shard", 2, "-q")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of five small frames; nobody writes into it."""
    folder = tmp_path_factory.mktemp("bench")
    settings = SynthSettings(seed=3, frames=5, image_size_px=(96, 320), beams=32, azimuths=450)
    write_semantickitti(folder / "drive", settings)
    succeed("ingest", "semantickitti", folder / "drive", "-w", folder / "workspace", "-q")
    return folder / "workspace"


def result(**overrides):
    stages = [StageCost("decode", 0.01, 0.01), StageCost("forward", 0.1, 0.19)]
    fields = {"run": {"model": "net", "taxonomy": None}, "cores": 2, "stages": stages, "whole": SteadyRate(32, 4.0, 2)}
    return BenchResult(**{**fields, **overrides})


def test_ratios_by_hand():
    # Ideal 2 / (0.01 + 0.19) = 10 frames/s, whole 32 / 4 = 8, plain loop 4.
    found = result(plain_per_s=4.0).to_json()
    assert found["ideal_frames_per_s"] == pytest.approx(10.0)
    assert found["whole_over_ideal"] == pytest.approx(0.8)
    assert found["whole_over_plain_loop"] == pytest.approx(2.0)
    assert found["stages"][1]["frames_per_s"] == pytest.approx(10.0)


def test_the_table_holds_the_same():
    assert result(plain_per_s=4.0).text().splitlines() == [
        "model net",
        "",
        "| | frames/s | core-seconds a frame |",
        "| --- | ---: | ---: |",
        "| decode, alone | 100.00 | 0.0100 |",
        "| forward, alone | 10.00 | 0.1900 |",
        "| all stages | | 0.2000 |",
        "| ideal | 10.00 | |",
        "| whole | 8.00 | |",
        "| plain loop | 4.00 | |",
        "",
        "whole / ideal: 0.80   (ideal: 2 cores ÷ core-seconds of all stages)",
        "whole / plain loop: 2.00",
    ]
    on_gpu = result(stages=[StageCost("forward", 0.1, 0.01, devices=1)]).text()
    assert "ideal: the slowest stage's own rate" in on_gpu
    assert "plain loop" not in on_gpu


def test_json_and_the_workspace_is_left_as_it_was(small: Path) -> None:
    before = content(small)
    found = json.loads(succeed("bench", "-w", small, *QUICK, "--compare", "--json"))
    assert content(small) == before
    assert [stage["name"] for stage in found["stages"]] == STAGES
    assert all(stage["core_s"] > 0 and stage["wall_s"] > 0 for stage in found["stages"])
    total = sum(stage["core_s"] for stage in found["stages"])
    assert found["ideal_frames_per_s"] == pytest.approx(found["cores"] / total)
    assert found["whole"]["frames_per_s"] == pytest.approx(found["whole"]["frames"] / found["whole"]["seconds"])
    assert found["whole"]["frames"] == 4  # the first of three shards does not count
    assert found["whole_over_ideal"] == pytest.approx(found["whole"]["frames_per_s"] / found["ideal_frames_per_s"])
    assert found["plain_loop_frames_per_s"] > 0
    assert found["run"] | {"frames": 6, "frames_per_shard": 2, "model": "street-tiny"} == found["run"]


def test_without_a_checkout_the_plain_loop_is_missed_in_one_line(small, monkeypatch, tmp_path):
    monkeypatch.setattr(bench_compare, "PLAIN_LOOP", tmp_path / "plain_loop.py")
    done = paintpipe("bench", "-w", small, *QUICK, "--compare")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "plain_loop.py" in done.err
    assert "leave --compare out" in done.err


def test_a_small_catalog_is_repeated_and_no_shard_holds_a_frame_twice(small):
    catalog = open_catalog(small / "catalog")
    sample = sample_of(catalog, (), 12, 16)
    assert (sample.distinct, sample.frames_per_shard) == (5, 5)
    assert sample.catalog.frame_counts() == {SEQUENCE: 15}
    rows = sample.catalog.frames(SEQUENCE, 0, 15)
    assert [row.index for row in rows] == list(range(15))
    assert [row.points_path for row in rows] == [row.points_path for row in catalog.frames("08", 0, 5)] * 3
    images = sample.catalog.images(SEQUENCE, 7, 8)
    assert [row.image_path for row in images] == [row.image_path for row in catalog.images("08", 2, 3)]


def test_a_large_catalog_is_cut(small):
    sample = sample_of(open_catalog(small / "catalog"), ("08",), 3, 2)
    assert (sample.distinct, sample.frames_per_shard, sample.catalog.frame_counts()) == (3, 2, {SEQUENCE: 4})
    done = paintpipe("bench", "-w", small, *QUICK, "--sequences", "09")
    assert (done.code, "no sequence '09'" in done.err) == (2, True)


def test_the_plain_loop_paints_what_paint_paints(small: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(small, tmp_path / "workspace"))
    from paintpipe.schemas.settings import SegmentSettings
    from paintpipe.workflows.paint_frames import shard_jobs

    succeed("paint", "-w", workspace, "-q", "--limit", 1)
    store = existing_store(workspace).store
    painted = store.read_frame("layers/street-tiny", "08", 0, ["scores", "flags"])
    loop = bench_compare.load_plain_loop()
    sample = sample_of(open_catalog(workspace / "catalog"), (), 1, 1)
    jobs = shard_jobs(sample.catalog, sample.first_shard, ("image_2",))
    net = bench_compare.plain_net(loop, "street-tiny", None, SegmentSettings())
    loop.paint_all(bench_compare.plain_frames(loop, Path(sample.catalog.info.root), jobs), net, workspace)
    plain = np.load(workspace / "000000.npy")
    assert plain.dtype == np.float32
    visible = (painted["flags"] & 2) > 0
    assert visible.sum() > 1000
    seen = plain[:, 4:].sum(axis=1) > 0.5
    # Points on a pixel's edge may fall to either side: the matrices are float64 here and float32 there.
    assert np.mean(seen == visible) > 0.9995
    both = seen & visible
    assert np.mean(plain[both, 4:].argmax(1) == painted["scores"][both].argmax(1)) > 0.999
    assert np.median(np.abs(plain[both, 4:] - painted["scores"][both])) < 1e-3
