"""From the options of `paintpipe paint`, `repaint` and `fuse` to one painter."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from paintpipe.pipeline.roots import LocalRoot, open_root
from paintpipe.pipeline.steady_root import SteadyRoot
from paintpipe.schemas.catalog import DatasetInfo
from paintpipe.schemas.errors import ConfigError, ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.schemas.settings import Backend, SegmentSettings
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.file_painters import MaskPainter, PredictionPainter, oracle
from paintpipe.workflows.layer_painters import FromLayers, LayerPainters, layer_painter
from paintpipe.workflows.painters import NetworkFacts, NetworkPainter, Painter, PixelPainter, PointPainter

SYNTHETIC_MODEL = "street-tiny"
"""Painted with by default, on the synthetic dataset only: it knows nothing else."""

AnyPainter = PixelPainter | PointPainter | LayerPainters


@dataclass(frozen=True)
class PainterChoice:
    """What the user said about the painter, at most one of the five kinds; and (H, W) of the images, where known."""

    model: str | None = None
    weights: Path | None = None
    trust_model: str = ""
    oracle: bool = False
    from_masks: Path | None = None
    from_predictions: Path | None = None
    from_layers: FromLayers | None = None
    taxonomy: str | None = None
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    image_px: tuple[int, int] | None = None

    @property
    def takes_taxonomy(self) -> bool:
        """Whether `taxonomy` names the painter's own classes instead of those to map to."""
        fused = self.from_layers is not None and self.from_layers.rule is not None
        return self.from_masks is not None or self.from_predictions is not None or fused


def choose_painter(choice: PainterChoice, info: DatasetInfo) -> AnyPainter:
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
    if choice.from_layers is not None:
        return layer_painter(choice.from_layers, open_root(info.root))
    if choice.oracle:
        return oracle(info, open_root(info.root))
    if choice.from_masks is not None:
        return MaskPainter(*_folder_parts(choice.from_masks, choice.taxonomy, "masks", info))
    if choice.from_predictions is not None:
        return PredictionPainter(*_folder_parts(choice.from_predictions, choice.taxonomy, "predictions", info))
    return network(choice, info)


def describe_painter(choice: PainterChoice, info: DatasetInfo) -> Painter:
    """What the painter will say of itself in workers, found out without touching a GPU; raises as `choose_painter`."""
    files = (choice.from_masks, choice.from_predictions, choice.from_layers)
    if choice.oracle or any(given is not None for given in files):
        return choose_painter(choice, info)
    built = network(choice, info, describe_only=True)
    return NetworkFacts(built.name, built.taxonomy, built.identity, built.notes)


def for_workers(choice: PainterChoice, *, on_gpu: bool) -> PainterChoice:
    """The choice as workers need it: files by absolute path, and the device settled, the only GPU that each sees."""
    return replace(
        choice,
        model=str(Path(choice.model).resolve()) if choice.model and Path(choice.model).is_file() else choice.model,
        weights=choice.weights and choice.weights.resolve(),
        from_masks=choice.from_masks and choice.from_masks.resolve(),
        from_predictions=choice.from_predictions and choice.from_predictions.resolve(),
        segment=replace(choice.segment, device=device_of_workers(choice.segment.device, on_gpu=on_gpu)),
    )


def device_of_workers(device: str, *, on_gpu: bool) -> str:
    """The device as workers elsewhere need it: `auto` is the GPU that each of them sees, if they are to have one."""
    return ("cuda" if on_gpu else "cpu") if device == "auto" else device


def settled(choice: PainterChoice, painter: Painter) -> PainterChoice:
    """The choice with what was settled while the painter was built, so that workers don't settle it otherwise."""
    backend = painter.identity.get("segment", {}).get("backend", choice.segment.backend)
    return replace(choice, segment=replace(choice.segment, backend=backend))


def network(choice: PainterChoice, info: DatasetInfo | None = None, *, describe_only: bool = False) -> NetworkPainter:
    """Build the network of `--model`, by default `street-tiny` on a synthetic dataset.

    Args:
        choice: the network and its settings.
        info: of the dataset to paint, None where there is none.
        describe_only: build it on the CPU, whatever its device, for its identity alone.

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
    if describe_only and choice.segment.device != "cpu":
        return NetworkPainter(card, weights, _on_cpu(choice.segment, card), choice.trust_model, choice.segment)
    settings = replace(choice.segment, device=resolve_device(choice.segment.device))
    return NetworkPainter(card, weights, settings, choice.trust_model, image_px=choice.image_px)


def _on_cpu(settings: SegmentSettings, card: ModelCard) -> SegmentSettings:
    """Settings for a GPU as the CPU can have them; the backend is what `auto` means there."""
    usual: Backend = "onnxruntime" if card.architecture == "onnx" else "torch"
    backend = usual if settings.backend == "auto" else settings.backend
    return replace(settings, device="cpu", precision="fp32", backend=backend)


def _folder_parts(folder: Path, taxonomy: str | None, kind: str, info: DatasetInfo) -> tuple[Any, Any, dict[str, Any]]:
    own = info.labels_taxonomy if kind == "predictions" else ("synthetic" if info.synthetic else None)
    name = taxonomy or own
    if name is None:
        raise ConfigError(f"which classes do the {kind} hold?", todo="name their taxonomy with --taxonomy")
    identity = {"painter": kind, "taxonomy": name}
    return SteadyRoot(LocalRoot(folder)), load_taxonomy(name), identity
