"""What a run of paint is to be, worked out without writing anything: `paint` does it, `plan` tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.shards import Shard, plan_shards
from paintpipe.pipeline.store import POINTS_TARGET, LayerTable, check_name, layer_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.schemas.source import Root
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.choose_painter import PainterChoice, choose_painter, describe_painter, for_workers
from paintpipe.workflows.layer_painters import LayerPainters, available
from paintpipe.workflows.paint_frames import PaintPlan
from paintpipe.workflows.paint_inputs import PaintInputs, layer_description, paint_plan
from paintpipe.workflows.paint_request import PaintRequest, paint_settings, painter_choice
from paintpipe.workflows.painters import Painter
from paintpipe.workflows.stores import OpenStore, open_store, store_base
from paintpipe.workflows.workers import check_workers, elsewhere, executor_settings


@dataclass(frozen=True)
class Prepared:
    """All that is known of a run before it begins.

    Attributes:
        request: with what the workspace remembers.
        catalog: of the dataset.
        choice: the painter, as workers are told.
        painter: built, or described where workers elsewhere build it.
        away: whether workers are other processes.
        layer: its name.
        plan: how frames are painted.
        opened: the store.
        root: of the dataset.
        inputs: of each shard.
        shards: of the selection, done or not.
        targets: what is stored of each shard.
        spread: the executor and its workers.
    """

    request: PaintRequest
    catalog: Catalog
    choice: PainterChoice
    painter: Painter
    away: bool
    layer: str
    plan: PaintPlan
    opened: OpenStore
    root: Root
    inputs: PaintInputs
    shards: list[Shard]
    targets: tuple[str, ...]
    spread: ExecutorSettings

    @property
    def description(self) -> LayerTable:
        """What the store will say of the layer."""
        return layer_description(self.layer, self.painter, self.plan)

    @property
    def settings_json(self) -> dict[str, Any]:
        """How it runs, for the run report and the plan."""
        segment = self.painter.identity.get("segment", {})
        return {
            "layer": self.layer,
            "store": self.opened.store.root.url,
            "painter": self.painter.identity.get("model") or self.painter.identity["painter"],
            "executor": self.spread.name,
            "workers": self.spread.workers,
            "in_flight": self.spread.in_flight,
            "gpus": [each.get("CUDA_VISIBLE_DEVICES") for each in self.spread.environments],
            "threads_per_worker": self.request.segment.threads,
            **{name: segment[name] for name in ("device", "backend", "precision", "batch_size") if name in segment},
        }

    @property
    def on_gpu(self) -> bool:
        """Whether the network runs on a GPU."""
        return _on_gpu(self.painter.identity)

    @property
    def sequences(self) -> list[str]:
        """Names of the sequences that the shards belong to, in catalog order."""
        return list(dict.fromkeys(shard.sequence for shard in self.shards))


def first_image_px(catalog: Catalog) -> tuple[int, int] | None:
    """(height, width) of the catalog's first image, whatever is selected of it; None where the first frame has none."""
    row = next(iter(catalog.images(catalog.sequences[0], 0, 1)), None)
    return None if row is None else (row.height_px, row.width_px)


def _check_gpus(request: PaintRequest) -> None:
    """Raises ConfigError for GPUs that would have nothing to do."""
    if not request.spread.gpus:
        return
    if request.oracle or request.from_masks or request.from_predictions:
        raise ConfigError("--gpus without a network", todo="use --workers: this painter runs on the CPU")
    if request.segment.backend == "openvino":
        raise ConfigError("--backend openvino with --gpus", expected="auto or torch: openvino runs on the CPU here")


def prepare(request: PaintRequest, workspace: Workspace, catalog: Catalog) -> Prepared:
    """Settle what to paint, with what and where to; reads, and writes nothing.

    Args:
        request: with what the workspace remembers (`with_memory`).
        workspace: where to.
        catalog: what of.

    Raises:
        PaintpipeError: the painter can't be built, an option names what is not there, or the store is damaged.
    """
    choice = replace(painter_choice(request), image_px=first_image_px(catalog))
    away = elsewhere(request.spread)
    if away:
        check_workers(request.spread, request.segment.device)
        _check_gpus(request)
        choice = for_workers(choice, on_gpu=bool(request.spread.gpus))
    painter: Painter = describe_painter(choice, catalog.info) if away else choose_painter(choice, catalog.info)
    layer = check_name(painter.name if request.layer is None else request.layer, "layer")
    plan = paint_plan(catalog, painter, paint_settings(request, choice))
    base, root = store_base(workspace, request.store), open_root(catalog.info.root)
    for what, place in (("store", base), ("dataset", open_folder(catalog.info.root))):
        if away and not place.shareable:
            todo = "use --executor threads or serial"
            raise ConfigError(f"no other process sees this {what}", where=place.url, todo=todo)
    opened = open_store(workspace, request.store_format, request.frames_per_shard, base)
    return Prepared(
        request=request,
        catalog=catalog,
        choice=choice,
        painter=painter,
        away=away,
        layer=layer,
        plan=plan,
        opened=opened,
        root=root,
        inputs=PaintInputs(catalog, root, painter, plan),
        shards=_paintable(painter, selected_shards(request, catalog, opened)),
        targets=((POINTS_TARGET,) if request.points else ()) + (layer_target(layer),),
        spread=executor_settings(request.spread, request.segment.threads, _on_gpu(painter.identity)),
    )


def _paintable(painter: Painter, shards: list[Shard]) -> list[Shard]:
    """The shards, for a painter that reads layers those that its layers have."""
    if not isinstance(painter, LayerPainters):
        return shards
    found = available(painter, shards)
    if not found:
        names = " and ".join(painter.sources.names)
        raise WorkspaceError(f"no shard of the selection is painted in {names}", todo="run `paintpipe paint` first")
    return found


def selected_shards(request: PaintRequest, catalog: Catalog, opened: OpenStore) -> list[Shard]:
    """The shards of the sequences and frames asked for. Raises ConfigError where there is no such sequence."""
    return plan_shards(_selected(catalog, request.sequences), opened.store.frames_per_shard, request.limit)


def _selected(catalog: Catalog, wanted: tuple[str, ...]) -> dict[str, int]:
    counts = catalog.frame_counts()
    unknown = [name for name in wanted if name not in counts]
    if unknown:
        raise ConfigError(f"no sequence {unknown[0]!r} in the catalog", expected="some of " + ", ".join(counts))
    return {name: count for name, count in counts.items() if not wanted or name in wanted}


def _on_gpu(identity: Mapping[str, Any]) -> bool:
    return str(identity.get("segment", {}).get("device", "")).startswith("cuda")
