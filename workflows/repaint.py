"""`paintpipe repaint`: a layer from a layer, its policies settled anew without running the network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from paintpipe.pipeline.store import LayerTable
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.schemas.settings import Edges, Occlusion, Overlap, PaintSettings
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.layer_basis import read_basis
from paintpipe.workflows.layer_painters import FromLayers, other_policies, stored_settings
from paintpipe.workflows.layer_request import LayerRequest, paint_request
from paintpipe.workflows.layers import open_layers
from paintpipe.workflows.paint import PaintRequest, PaintResult, paint
from paintpipe.workflows.stored_layers import stored_layer
from paintpipe.workflows.stores import existing_store

_BY_CAMERA = ("network", "masks")
"""Painters whose scores come from images, where cameras may disagree."""
ANEW = "paint anew with these settings"


@dataclass(frozen=True, kw_only=True)
class RepaintRequest(LayerRequest):
    """What to repaint and how; the fields are the options of `paintpipe repaint`. None: as the layer was painted."""

    source: str
    overlap: Overlap | None = None
    occlusion: Occlusion | None = None
    edges: Edges | None = None
    temperature: float | Literal["fitted"] | None = None


def repaint(request: RepaintRequest) -> PaintResult:
    """Paint a layer from another one's full provenance; taken up again and overwritten as `paint` is.

    Raises:
        WorkspaceError: no such layer, no full provenance, or no temperature was fitted.
        ConfigError: what is asked for can't be made from what the layer keeps; a third camera sees a point.
        ChangedInputError: finished shards were made from another layer, or the layer has been painted anew since.
    """
    workspace = Workspace(request.workspace)
    opened = existing_store(request.workspace)
    table = stored_layer(opened, request.source)
    if request.layer == request.source:
        raise ConfigError("a layer can't be repainted into itself", todo="give the new one another --layer")
    history = stored_settings(table)
    after = _settings(request, history[0], table, workspace)
    _check_possible(table, history, after)
    how = PaintRequest(
        request.workspace,
        cameras=tuple(table.coords["camera_name"]),
        projection=after.projection,
        overlap=after.overlap,
        occlusion=after.occlusion,
        edges=after.edges,
        temperature=after.temperature,
        provenance=after.provenance,
    )
    return paint(paint_request(request, FromLayers(opened, (request.source,)), how))


def fitted_temperature(workspace: Workspace, table: LayerTable) -> float:
    """What `calibrate` found for a layer.

    Raises:
        WorkspaceError: nothing, or the layer has been painted anew since.
    """
    known = workspace.read_config().get("layers", {}).get(table.layer, {})
    todo = f"run `paintpipe calibrate --layer {table.layer}`"
    if "temperature" not in known:
        raise WorkspaceError(f"no temperature was fitted for layer {table.layer}", where=str(workspace.path), todo=todo)
    opened, catalog = existing_store(workspace.path), open_catalog(workspace.catalog)
    basis = read_basis(known.get("temperature_shards"), known.get("temperature_of"))
    if basis is None:
        what = f"the temperature of layer {table.layer} does not say what it was fitted on"
        raise WorkspaceError(what, where=str(workspace.path), todo=todo)
    if not basis.holds(open_layers(opened, catalog, (table.layer,))[0]):
        what = f"the temperature was fitted before layer {table.layer} was painted anew"
        raise WorkspaceError(what, where=str(workspace.path), todo=todo)
    return float(known["temperature"])


def _settings(request: RepaintRequest, before: PaintSettings, table: LayerTable, workspace: Workspace) -> PaintSettings:
    """Those of the layer, with what is asked for in their place."""
    wanted = {"overlap": request.overlap, "occlusion": request.occlusion, "edges": request.edges}
    after = replace(before, **{name: value for name, value in wanted.items() if value is not None})  # type: ignore[arg-type]
    if request.temperature == "fitted":
        return replace(after, temperature=fitted_temperature(workspace, table))
    return replace(after, temperature=1.0 if request.temperature is None else request.temperature)


def _check_possible(table: LayerTable, history: Sequence[PaintSettings], after: PaintSettings) -> None:
    """Raises where a layer does not keep what the new settings need."""
    where, before = f"layer {table.layer}", history[0]
    changed = other_policies(before, after)
    # A layer that was repainted without a word about them has these from a layer before.
    temperature = next((each.temperature for each in history if each.temperature != 1.0), 1.0)
    taxonomy = next((each.taxonomy for each in history if each.taxonomy is not None), None)
    if (changed or after.temperature != 1.0) and temperature != 1.0:
        what = f"its scores have a temperature of {temperature:g} already"
        raise ConfigError(what, where=where, todo="repaint from the layer before")
    if not changed:
        return
    options = ", ".join(f"--{name}" for name in changed)
    if _painter(table) not in _BY_CAMERA:
        what = f"{options}: its scores do not come from cameras, so there is nothing to settle between them"
        raise ConfigError(what, where=where)
    if before.provenance != "full":
        raise WorkspaceError(f"{options} needs full provenance", where=where, todo="paint with --provenance full")
    lossy = {
        f"--overlap {before.overlap}": before.overlap in ("mean", "max"),
        "--occlusion clear": before.occlusion == "clear",
        "--edges smooth": before.edges == "smooth",
        f"--taxonomy {taxonomy}": taxonomy is not None,
    }
    lost = [option for option, is_lossy in lossy.items() if is_lossy]
    if lost:
        what = f"painted with {' '.join(lost)}: what each camera said is lost"
        raise ConfigError(what, where=where, todo=ANEW)


def _painter(table: LayerTable) -> str:
    """Kind of the painter that first gave the scores."""
    painter = table.attributes["painter"]
    while painter["painter"] == "repaint":
        painter = painter["of"]
    return str(painter["painter"])
