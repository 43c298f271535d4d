"""From the options of `paintpipe paint` to one painter."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.catalog import DatasetInfo
from paintpipe.schemas.errors import ConfigError, ModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.file_painters import MaskPainter, PredictionPainter, oracle
from paintpipe.workflows.painters import NetworkPainter, PixelPainter, PointPainter

SYNTHETIC_MODEL = "street-tiny"
"""Painted with by default, on the synthetic dataset only: it knows nothing else."""


@dataclass(frozen=True)
class PainterChoice:
    """What the user said about the painter; at most one of the four kinds."""

    model: str | None = None
    weights: Path | None = None
    trust_model: str = ""
    oracle: bool = False
    from_masks: Path | None = None
    from_predictions: Path | None = None
    taxonomy: str | None = None
    segment: SegmentSettings = field(default_factory=SegmentSettings)

    @property
    def takes_taxonomy(self) -> bool:
        """Whether `taxonomy` names the painter's own classes instead of those to map to."""
        return self.from_masks is not None or self.from_predictions is not None


def choose_painter(choice: PainterChoice, info: DatasetInfo) -> PixelPainter | PointPainter:
    """Build the painter.

    Raises:
        ConfigError: two painters at once, or masks without a taxonomy.
        ModelError: no painter for a real dataset, or a network that can't be built.
    """
    asked = {"--model": choice.model, "--oracle": choice.oracle, "--from-masks": choice.from_masks}
    asked["--from-predictions"] = choice.from_predictions
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} together", expected="one painter", todo="paint a layer for each")
    if choice.oracle:
        return oracle(info, LocalRoot(info.root))
    if choice.from_masks is not None:
        return MaskPainter(*_folder_parts(choice.from_masks, choice.taxonomy, "masks", info))
    if choice.from_predictions is not None:
        return PredictionPainter(*_folder_parts(choice.from_predictions, choice.taxonomy, "predictions", info))
    return network(choice, info)


def network(choice: PainterChoice, info: DatasetInfo | None = None) -> NetworkPainter:
    """Build the network of `--model`, by default `street-tiny` on a synthetic dataset.

    Raises:
        ModelError: no model on a real dataset, or a network that can't be built.
    """
    from paintpipe.stages.segment.device import resolve_device
    from paintpipe.stages.segment.registry import CARDS, find_card, find_weights

    name = choice.model or (SYNTHETIC_MODEL if info is not None and info.synthetic else None)
    if name is None:
        what = "painting a real dataset needs a network: --model NAME and --weights FILE"
        raise ModelError(what, todo="built in: " + ", ".join(CARDS) + "; `paintpipe models` describes them")
    card = find_card(name)
    weights = find_weights(name, card, choice.weights)
    settings = replace(choice.segment, device=resolve_device(choice.segment.device))
    return NetworkPainter(card, weights, settings, choice.trust_model)


def _folder_parts(folder: Path, taxonomy: str | None, kind: str, info: DatasetInfo) -> tuple[Any, Any, dict[str, Any]]:
    own = info.labels_taxonomy if kind == "predictions" else ("synthetic" if info.synthetic else None)
    name = taxonomy or own
    if name is None:
        raise ConfigError(f"which classes do the {kind} hold?", todo="name their taxonomy with --taxonomy")
    identity = {"painter": kind, "taxonomy": name}
    return LocalRoot(folder), load_taxonomy(name), identity
