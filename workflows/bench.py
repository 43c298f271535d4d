"""`paintpipe bench`: what each stage costs alone, what a run reaches, and what it could reach at best."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.stage_cost import StageCost, ideal_per_s
from paintpipe.pipeline.steady_rate import SteadyRate, steady_rate
from paintpipe.pipeline.store import POINTS_TARGET, layer_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.source import Root
from paintpipe.workflows.bench_compare import load_plain_loop, plain_frames, plain_net
from paintpipe.workflows.bench_result import BenchResult
from paintpipe.workflows.bench_sample import SEQUENCE, Sample, sample_of, write_sample
from paintpipe.workflows.bench_stages import STAGES, StageInputs, stage_costs
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.choose_painter import SYNTHETIC_MODEL, PainterChoice, device_of_workers, network
from paintpipe.workflows.paint import PaintRequest, paint
from paintpipe.workflows.paint_frames import FrameJob, PaintPlan, shard_jobs
from paintpipe.workflows.paint_inputs import layer_description, paint_plan
from paintpipe.workflows.paint_prepare import first_image_px
from paintpipe.workflows.paint_request import paint_settings
from paintpipe.workflows.painters import NetworkPainter
from paintpipe.workflows.store_groups import create_layer, create_sequence, sequence_table
from paintpipe.workflows.stores import open_store
from paintpipe.workflows.workers import elsewhere, executor_settings, usable_cores

LAYER = "bench"
STAGE_S, WHOLE_S = 4.0, 25.0
"""One pass of the slowest stage, and the run, take about so long unless the user names a number of frames."""
LONGEST_SHARD, MOST_FRAMES = 16, 4000


@dataclass(frozen=True)
class BenchRequest:
    """What to measure.

    Attributes:
        paint: as for `paintpipe paint`; its workspace is left as it is.
        frames: of the run, None for as many as half a minute takes.
        compare: run the plain loop as well.
    """

    paint: PaintRequest
    frames: int | None = None
    compare: bool = False


@dataclass(frozen=True)
class _Subject:
    """What is measured."""

    request: BenchRequest
    catalog: Catalog
    painter: NetworkPainter
    plan: PaintPlan
    folder: Path

    @property
    def root(self) -> Root:
        return open_root(self.catalog.info.root)

    @property
    def targets(self) -> tuple[str, ...]:
        return ((POINTS_TARGET,) if self.request.paint.points else ()) + (layer_target(LAYER),)


def bench(request: BenchRequest) -> BenchResult:
    """Measure in a temporary workspace inside the user's own, so that the disk is the same; it is deleted afterwards.

    Raises:
        WorkspaceError: no catalog.
        ModelError: no network, or one that can't be loaded.
        InputFileError: a file of the first frames can't be used.
        ConfigError: too few frames for this many workers, or --compare where the plain loop is not at hand.
        StoreError: the disk refuses.
    """
    loop = load_plain_loop() if request.compare else None
    workspace = Workspace(request.paint.workspace)
    catalog = open_catalog(workspace.catalog)
    request = replace(request, paint=_settled(request.paint, workspace, catalog))
    with _scratch(workspace.path) as folder:
        subject = _subject(request, catalog, folder)
        stages = _stages(subject)
        sample = _sample_for_run(subject, ideal_per_s(stages, usable_cores()))
        whole = _whole(subject, sample)
        plain = None if loop is None else _plain_per_s(subject, sample, loop)
    return BenchResult(_described(subject, sample), usable_cores(), stages, whole, plain)


def _settled(request: PaintRequest, workspace: Workspace, catalog: Catalog) -> PaintRequest:
    """With the network that the workspace remembers, or the synthetic dataset's, where the user names none."""
    from paintpipe.stages.segment.device import resolve_device

    known, device = workspace.read_config(), request.segment.device
    if elsewhere(request.spread):
        device = device_of_workers(device, on_gpu=bool(request.spread.gpus))
    segment = replace(request.segment, device=resolve_device(device))
    request = replace(
        request, segment=segment, store_format=request.store_format or known.get("store", {}).get("format")
    )
    if request.model is None and "network" in known:
        weights = known["network"].get("weights")
        weights_path = request.weights or (Path(weights) if weights else None)
        taxonomy = request.taxonomy or known["network"].get("taxonomy")
        return replace(request, model=known["network"]["model"], weights=weights_path, taxonomy=taxonomy)
    return replace(request, model=request.model or (SYNTHETIC_MODEL if catalog.info.synthetic else None))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    try:
        made = tempfile.TemporaryDirectory(prefix="bench-", dir=folder)
    except OSError as error:
        raise write_error(error, folder) from error
    with made as path:
        yield Path(path)


def _subject(request: BenchRequest, catalog: Catalog, folder: Path) -> _Subject:
    wanted = request.paint
    choice = PainterChoice(wanted.model, wanted.weights, wanted.trust_model, segment=wanted.segment)
    painter = network(replace(choice, image_px=first_image_px(catalog)), catalog.info)
    settings = paint_settings(wanted, choice)
    return _Subject(request, catalog, painter, paint_plan(catalog, painter, settings), folder)


def _stages(subject: _Subject) -> list[StageCost]:
    wanted = subject.request.paint
    sample = sample_of(subject.catalog, wanted.sequences, LONGEST_SHARD, LONGEST_SHARD)
    jobs = shard_jobs(sample.catalog, sample.first_shard, subject.plan.camera_names)
    jobs = jobs[: _clamp(STAGE_S / _first_frame_s(subject, jobs[:1]), 1, len(jobs))]
    opened = open_store(Workspace(subject.folder / "stages"), wanted.store_format, len(jobs))
    create_sequence(opened, sequence_table(sample.catalog, SEQUENCE), with_points=wanted.points, overwrite=False)
    create_layer(opened, [SEQUENCE], layer_description(LAYER, subject.painter, subject.plan), overwrite=False)
    given = StageInputs(
        subject.root, subject.painter, subject.plan, opened, subject.targets, _devices(subject), wanted.segment.device
    )
    measured = stage_costs(given, jobs, Shard(SEQUENCE, 0, 0, len(jobs)))
    return list(track(measured, "bench", "stage", quiet=wanted.quiet, total=len(STAGES)))


def _first_frame_s(subject: _Subject, jobs: list[FrameJob]) -> float:
    """Seconds that the network takes for one frame, after a first time that does not count."""
    from paintpipe.workflows.frame_io import FrameFiles

    images = [row for job in jobs for row in job.images]
    loaded = [subject.painter.load(FrameFiles(subject.root), row) for row in images]
    found = 1e-6
    for _ in range(2):
        begin_s = time.perf_counter()
        for image in loaded:
            if image is not None:
                subject.painter.pixels([image])
        found = max(time.perf_counter() - begin_s, 1e-6)
    return found


def _spread(subject: _Subject) -> ExecutorSettings:
    wanted = subject.request.paint
    return executor_settings(wanted.spread, wanted.segment.threads, wanted.segment.device != "cpu")


def _devices(subject: _Subject) -> int:
    """GPUs that the run spreads the network over."""
    if subject.request.paint.segment.device == "cpu":
        return 0
    return len(_spread(subject).environments) or 1


def _sample_for_run(subject: _Subject, rate_per_s: float) -> Sample:
    """As many frames as the user says, or as the run's time allows: three shards or more for each that is under way."""
    wanted = subject.request.paint
    spread = _spread(subject)
    at_once = 1 if spread.name == "serial" else spread.workers * spread.in_flight
    frames = subject.request.frames or _clamp(WHOLE_S * rate_per_s, 1, MOST_FRAMES)
    length = wanted.frames_per_shard or _clamp(frames / (3 * at_once), 1, LONGEST_SHARD)
    sample = sample_of(subject.catalog, wanted.sequences, length, length)  # fewer a shard where fewer frames differ
    rounds = max(3, ceil(frames / (sample.frames_per_shard * at_once)))
    total = rounds * at_once * sample.frames_per_shard
    return sample_of(subject.catalog, wanted.sequences, total, sample.frames_per_shard)


def _whole(subject: _Subject, sample: Sample) -> SteadyRate:
    wanted, workspace = subject.request.paint, Workspace(subject.folder / "whole")
    write_sample(sample, workspace)
    log = workspace.path / "events.jsonl"
    run = replace(wanted, workspace=workspace.path, layer=LAYER, frames_per_shard=sample.frames_per_shard)
    paint(replace(run, sequences=(), limit=None, overwrite=False, log_json=log))
    return steady_rate(log, layer_target(LAYER))


def _plain_per_s(subject: _Subject, sample: Sample, loop: Any) -> float:
    """Frames a second of the plain loop, with all cores, over the frames of the run (or some of them)."""
    import torch

    wanted = subject.request.paint
    net = plain_net(loop, wanted.model or "", wanted.weights, wanted.segment)
    jobs = shard_jobs(sample.catalog, sample.first_shard, subject.plan.camera_names)
    frames = plain_frames(loop, Path(subject.catalog.info.root), jobs)
    torch.set_num_threads(usable_cores())
    folder = subject.folder / "plain"
    folder.mkdir()
    loop.paint_all(frames[:1], net, folder)
    seconds: list[float] = []
    most = ceil(len(sample.rows.frames) / len(frames))
    while len(seconds) < min(2, most) or (len(seconds) < most and sum(seconds) < WHOLE_S / 2):
        seconds.append(loop.paint_all(frames, net, folder))
    return len(frames) * len(seconds) / sum(seconds)


def _described(subject: _Subject, sample: Sample) -> dict[str, Any]:
    identity: dict[str, Any] = subject.painter.identity
    spread = _spread(subject)
    return {
        "dataset": subject.catalog.info.dataset,
        "model": identity["model"],
        **identity["segment"],
        "executor": spread.name,
        "workers": spread.workers,
        "in_flight": spread.in_flight,
        "frames": sample.catalog.frame_counts()[SEQUENCE],
        "distinct": sample.distinct,
        "frames_per_shard": sample.frames_per_shard,
    }


def _clamp(value: float, least: int, most: int) -> int:
    return min(most, max(least, int(value)))
