"""The table `classes` knows which layers it is about: `fuse` asks whether they are still those."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from paintpipe.schemas.errors import WorkspaceError
from paintpipe.stages.taxonomies.load import load_mapping
from paintpipe.workflows.layer_basis import basis_of, read_basis
from paintpipe.workflows.layers import Layer, painted_runs

_KEY = b"paintpipe.judged"
_AGAIN = "run `paintpipe evaluate` again, or give --class-layers"


def signature(layer: Layer, taxonomy: str, limit: int | None) -> dict[str, Any]:
    """What a layer's figures were made from: its taxonomy of judgement, and its shards and mapping as they are."""
    basis = basis_of(layer, painted_runs(layer, limit), _mapping(layer, taxonomy))
    return {"taxonomy": taxonomy, "shards": list(basis.shards), "digest": basis.digest}


def signed(table: pa.Table, signatures: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """The table with the signatures of its layers in its metadata, which CSV and Markdown leave out."""
    text = json.dumps(signatures, sort_keys=True, ensure_ascii=False)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: text.encode()})


def check_judged(table: pa.Table, layer: Layer, taxonomy: str) -> None:
    """Raises WorkspaceError unless the table is about this layer as it is now, in these classes.

    Args:
        table: `classes`, as it was read.
        layer: that it is to speak for.
        taxonomy: name of the classes that the layer is brought to.
    """
    known = _signatures(table).get(layer.name)
    if not isinstance(known, dict):
        raise WorkspaceError(f"layer {layer.name} has no scores by class that say what they are of", todo=_AGAIN)
    used, wanted = str(known.get("taxonomy")).removesuffix("+other"), taxonomy.removesuffix("+other")
    if used != wanted:
        raise WorkspaceError(f"layer {layer.name} was evaluated in the classes of {used}, not {wanted}", todo=_AGAIN)
    basis = read_basis(known.get("shards"), known.get("digest"))
    if basis is None or not basis.holds(layer, _mapping(layer, str(known["taxonomy"]))):
        what = f"layer {layer.name}, or how its classes are mapped, has changed since it was evaluated"
        raise WorkspaceError(what, todo=_AGAIN)


def _signatures(table: pa.Table) -> dict[str, Any]:
    try:
        known = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _mapping(layer: Layer, taxonomy: str) -> dict[str, Any]:
    mapping = load_mapping(layer.taxonomy.name, taxonomy)
    return {"classes": [list(mapping.source.classes), list(mapping.target.classes)], "matrix": mapping.matrix.tolist()}
