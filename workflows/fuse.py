"""`paintpipe fuse`: one layer from two or more."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from paintpipe.pipeline.tables import read_parquet
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.stages.evaluate.class_choice import best_layers
from paintpipe.stages.paint.fusion import FusionRule
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.judged import check_judged
from paintpipe.workflows.layer_painters import FromLayers, common_taxonomy
from paintpipe.workflows.layer_request import LayerRequest, paint_request
from paintpipe.workflows.layers import open_layers
from paintpipe.workflows.paint import PaintRequest, PaintResult, paint
from paintpipe.workflows.paint_inputs import ALL_CAMERAS
from paintpipe.workflows.stored_layers import stored_layer
from paintpipe.workflows.stores import OpenStore, existing_store

_LONGEST_TABLE = 1_000_000
"""Bytes; nobody writes a longer one by hand."""


@dataclass(frozen=True, kw_only=True)
class FuseRequest(LayerRequest):
    """What to fuse and how; the fields are the options of `paintpipe fuse`."""

    layers: tuple[str, ...]
    rule: FusionRule = "average"
    class_layers: str | None = None


def fuse(request: FuseRequest) -> PaintResult:
    """Paint a layer from others, where all of them are painted; taken up again and overwritten as `paint` is.

    Raises:
        WorkspaceError: no such layer, or (`per-class` without a table) the layers have not been evaluated,
            or have changed since.
        TaxonomyError: the layers have other classes, or no mapping leads to the taxonomy asked for.
        ConfigError: an option that makes no sense.
        ChangedInputError: finished shards were made from other layers, or one has been painted anew since.
    """
    opened = existing_store(request.workspace)
    _check(request)
    tables = [stored_layer(opened, name) for name in request.layers]
    used = {name for table in tables for name in table.coords["camera_name"]}
    sources = FromLayers(opened, request.layers, request.rule, request.taxonomy, _class_layers(request, opened))
    how = PaintRequest(request.workspace, cameras=tuple(sorted(used)) or ALL_CAMERAS, occlusion="off")
    return paint(paint_request(request, sources, how))


def _check(request: FuseRequest) -> None:
    if len(set(request.layers)) != len(request.layers) or len(request.layers) < 2:
        raise ConfigError(f"--layers {','.join(request.layers)}", expected="two layers or more, each once")
    if request.layer in request.layers:
        raise ConfigError(f"layer {request.layer} can't be one of those it is made from", todo="give another --layer")
    if request.class_layers and request.rule != "per-class":
        raise ConfigError("--class-layers does nothing", expected="--rule per-class with it")


def _class_layers(request: FuseRequest, opened: OpenStore) -> tuple[tuple[str, str], ...]:
    """(class, layer) for `per-class`: as the user says, else by the last evaluation."""
    if request.rule != "per-class":
        return ()
    if request.class_layers:
        return tuple(sorted(_table(request.class_layers).items()))
    own = {name: str(stored_layer(opened, name).attributes["taxonomy"]) for name in request.layers}
    taxonomy, workspace = common_taxonomy(own, request.taxonomy), Workspace(request.workspace)
    table = _evaluated(workspace)
    found = best_layers(table.to_pylist(), request.layers, taxonomy.classes)
    for layer in open_layers(opened, open_catalog(workspace.catalog), request.layers):
        check_judged(table, layer, taxonomy.name)
    return tuple(found.items())


def _evaluated(workspace: Workspace) -> pa.Table:
    path = workspace.tables / "classes.parquet"
    if not path.is_file():
        todo = "run `paintpipe evaluate` on labelled frames first, or give --class-layers"
        raise WorkspaceError("the layers have no scores by class", where=str(workspace.tables), todo=todo)
    return read_parquet(path)


def _table(text: str) -> dict[str, str]:
    """`car=a,person=b`, or a TOML file of lines such as `car = "a"`."""
    path = Path(text)
    pairs: list[tuple[Any, ...]]
    try:
        if path.is_file():
            if path.stat().st_size > _LONGEST_TABLE:
                raise ConfigError("too long for a table of classes", where=text)
            pairs = list(tomllib.loads(path.read_text(encoding="utf-8")).items())
        else:
            pairs = [tuple(part.strip() for part in item.split("=")) for item in text.split(",")]
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"can't be read ({error})", where=text, expected='lines such as car = "LAYER"') from error
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(word, str) and word for word in pair):
            raise ConfigError(f"--class-layers {text!r}", expected="CLASS=LAYER,CLASS=LAYER or a TOML file")
    if len(dict(pairs)) < len(pairs):
        raise ConfigError(f"--class-layers {text!r}", expected="each class once")
    return dict(pairs)
