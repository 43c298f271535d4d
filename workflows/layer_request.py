"""What `repaint` and `fuse` share: a layer that `paint` makes from layers, in the store where those lie."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from paintpipe.workflows.layer_painters import FromLayers
from paintpipe.workflows.paint_request import PaintRequest
from paintpipe.workflows.workers import WorkerOptions


@dataclass(frozen=True, kw_only=True)
class LayerRequest:
    """A layer to be made from others; the fields are options of the command."""

    workspace: Path
    layer: str
    taxonomy: str | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    spread: WorkerOptions = field(default_factory=WorkerOptions)
    overwrite: bool = False
    quiet: bool = False
    log_json: Path | None = None


def paint_request(request: LayerRequest, sources: FromLayers, how: PaintRequest) -> PaintRequest:
    """What `paint` is asked for: `how` with the sources, into their store, with the request's own options."""
    return replace(
        how,
        from_layers=sources,
        layer=request.layer,
        taxonomy=request.taxonomy,
        store_format=sources.opened.store_format,
        points=False,
        sequences=request.sequences,
        limit=request.limit,
        spread=request.spread,
        overwrite=request.overwrite,
        quiet=request.quiet,
        log_json=request.log_json,
    )
