"""The card of an export: where its data comes from, under which licence, and how it was made."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from paintpipe.schemas.catalog import DatasetInfo
from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.export import ExportSettings
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.export.columns import Columns
from paintpipe.stages.segment.registry import find_card
from paintpipe.workflows.layers import Layer

_KITTI = ("CC BY-NC-SA 3.0", "https://www.cvlibs.net/datasets/kitti/")
LICENCES = {
    "kitti": _KITTI,
    "kitti-raw": _KITTI,
    "semantickitti": (
        "CC BY-NC-SA 3.0 (KITTI's sweeps and images), CC BY-NC-SA 4.0 (labels)",
        "https://semantic-kitti.org/dataset.html#licence",
    ),
    "nuscenes": ("CC BY-NC-SA 4.0, as changed by nuScenes' terms of use", "https://www.nuscenes.org/terms-of-use"),
}
"""Licence of each dataset, and the page that states it; none of them allows commercial use.

The pages decide, not this table, whose words come from projects that quote them. Of nuScenes, the devkit's
`docs/faqs.md` names the page and says that commercial use wants a licence of its own.
"""
SYNTHETIC_LICENCE = "none needed: made by `paintpipe synth`"
UNKNOWN = "unknown to paintpipe"


def export_card(
    target: str, info: DatasetInfo, layer: Layer, settings: ExportSettings, taxonomy: Taxonomy, columns: Columns
) -> dict[str, Any]:
    """What holds for all frames of an export, JSON-ready; goes into each mark, so that a change of it is noticed."""
    attributes = layer.table.attributes
    return {
        "target": target,
        "source": _source(info),
        "layer": {
            "name": layer.name,
            "taxonomy": str(attributes["taxonomy"]),
            "painter": attributes["painter"],
            "settings": attributes["settings"],
            "paint_format": attributes["paint_format"],
            "cameras": list(layer.camera_names),
        },
        "network": _network(attributes["painter"]),
        "settings": _settings(settings),
        "taxonomy": {"name": taxonomy.name, "classes": list(taxonomy.classes), "source": taxonomy.source},
        "score_columns": list(columns.names),
    }


def _settings(settings: ExportSettings) -> dict[str, Any]:
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()}
    return values | {"options": dict(settings.options)}


def _source(info: DatasetInfo) -> dict[str, Any]:
    licence, page = LICENCES.get(info.dataset, (UNKNOWN, ""))
    if info.synthetic:
        licence, page = SYNTHETIC_LICENCE, ""
    return {
        "dataset": info.dataset,
        "version": info.version,
        "synthetic": info.synthetic,
        "licence": licence,
        "licence_page": page,
    }


def _network(painter: Mapping[str, Any]) -> dict[str, Any] | None:
    """The network that painted; its licence as paintpipe knows it, for its own weights only."""
    if painter.get("painter") != "network":
        return None
    name, weights = str(painter["model"]), str(painter["weights"])
    try:
        card = find_card(name)
    except ModelError:
        return {"model": name, "weights_sha256": weights, "licence": UNKNOWN}
    known = not card.weights_sha256 or card.weights_sha256 == weights
    licence = card.licence if known else f"{UNKNOWN}: other weights than the published ones"
    return {
        "model": name,
        "weights_sha256": weights,
        "licence": licence,
        "source": card.source,
        "trained_on": card.trained_on,
    }
