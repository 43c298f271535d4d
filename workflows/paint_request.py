"""What the user asks of `paintpipe paint` and `paintpipe plan`."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.settings import (
    Edges,
    Occlusion,
    Overlap,
    PaintSettings,
    Projection,
    Provenance,
    SegmentSettings,
    StoreFormat,
)
from paintpipe.workflows.choose_painter import PainterChoice
from paintpipe.workflows.layer_painters import FromLayers
from paintpipe.workflows.workers import WorkerOptions


@dataclass(frozen=True)
class PaintRequest:
    """What to paint, with what, and where to; the fields are the options of `paintpipe paint`."""

    workspace: Path
    model: str | None = None
    weights: Path | None = None
    trust_model: str = ""
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    oracle: bool = False
    from_masks: Path | None = None
    from_predictions: Path | None = None
    from_layers: FromLayers | None = None
    taxonomy: str | None = None
    layer: str | None = None
    cameras: tuple[str, ...] = ()
    projection: Projection = "default"
    overlap: Overlap = "margin"
    occlusion: Occlusion = "flag"
    edges: Edges = "flag"
    temperature: float = 1.0
    provenance: Provenance = "min"
    store: str | None = None
    store_format: StoreFormat | None = None
    points: bool = True
    frames_per_shard: int | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    spread: WorkerOptions = field(default_factory=WorkerOptions)
    overwrite: bool = False
    quiet: bool = False
    log_json: Path | None = None


def with_memory(request: PaintRequest, workspace: Workspace) -> PaintRequest:
    """The request, with model, weights, taxonomy and layer of the last network where the user names no painter."""
    if request.model or request.oracle or request.from_masks or request.from_predictions or request.from_layers:
        return request
    known = workspace.read_config().get("network")
    if not known:
        return request
    weights = Path(known["weights"]) if known.get("weights") else None
    return replace(
        request,
        model=known["model"],
        weights=request.weights or weights,
        taxonomy=request.taxonomy or known.get("taxonomy"),
        layer=known.get("layer") if request.layer is None else request.layer,
    )


def painter_choice(request: PaintRequest) -> PainterChoice:
    """What the request says about the painter."""
    return PainterChoice(
        model=request.model,
        weights=request.weights,
        trust_model=request.trust_model,
        oracle=request.oracle,
        from_masks=request.from_masks,
        from_predictions=request.from_predictions,
        from_layers=request.from_layers,
        taxonomy=request.taxonomy,
        segment=request.segment,
    )


def paint_settings(request: PaintRequest, choice: PainterChoice) -> PaintSettings:
    """What the request says about painting itself."""
    return PaintSettings(
        projection=request.projection,
        overlap=request.overlap,
        provenance=request.provenance,
        cameras=request.cameras,
        taxonomy=None if choice.takes_taxonomy else request.taxonomy,
        occlusion=request.occlusion,
        edges=request.edges,
        temperature=request.temperature,
    )
