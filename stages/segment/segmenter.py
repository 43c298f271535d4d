"""Running a network on images: the one way in for painting, evaluating and viewing."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import ConfigError, TaxonomyError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.schemas.pixels import PixelScores, ScoreKind
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.architectures import load_network
from paintpipe.stages.segment.backends import choose_backend
from paintpipe.stages.segment.device import enough_memory
from paintpipe.stages.segment.network import LoadRequest, Network, run_network
from paintpipe.stages.segment.prepare import InputPlan, SizePx, network_input, plan_input, scaled_plan
from paintpipe.stages.segment.registry import find_weights
from paintpipe.stages.segment.resident import DeviceScores
from paintpipe.stages.segment.tta import all_scales, mean_probabilities

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Segmenter:
    """A network with all that it needs to label images.

    Attributes:
        network: as loaded.
        settings: how to run it.
        num_classes: channels of every result, as many as the taxonomy has classes.
        notes: what was settled on loading that a user may want to know, a line each.
    """

    network: Network
    settings: SegmentSettings
    num_classes: int
    notes: tuple[str, ...] = ()

    @property
    def card(self) -> ModelCard:
        """The card in force, with what the weights themselves settle."""
        return self.network.card

    @property
    def weights_sha256(self) -> str:
        """Hex SHA-256 of the weights."""
        return self.network.weights_sha256

    def resized_px(self, image_px: SizePx) -> SizePx:
        """(h, w) that an image of (H, W) is resized to at most: an image decoded at no less than that is enough."""
        plan = self._plan(image_px)
        sizes = [self._scaled(plan, scale).resized_px for scale in all_scales(self.settings.tta_scales)]
        return max(size[0] for size in sizes), max(size[1] for size in sizes)

    def predict(self, images: Sequence[UInt8], image_px: SizePx | None = None) -> list[PixelScores]:
        """Scores of each image on the network's own grid, in the machine's memory; takes and raises as `resident`."""
        return [scores.fetch() for scores in self.resident(images, image_px)]

    def resident(self, images: Sequence[UInt8], image_px: SizePx | None = None) -> list[DeviceScores]:
        """Scores of each image on the network's own grid, left on the device; a GPU may still be at work on them.

        Args:
            images: (H, W, 3) uint8 RGB, all of one size; run `batch_size` at a time, in order.
            image_px: (height, width) of the images as taken, where they were decoded at a reduced scale.

        Raises:
            ConfigError: images of several sizes, or an input size that the network does not take, or the device
                ran out of memory.
            ModelError: the network failed, or returned no finite (N, C, h, w) scores.
        """
        if not images:
            return []
        if any(image.shape != images[0].shape or image.dtype != "uint8" for image in images):
            raise ConfigError("the images of one call differ in size", expected="(H, W, 3) uint8, all of one size")
        plan = self._plan(image_px or (int(images[0].shape[0]), int(images[0].shape[1])))
        step = max(1, self.settings.batch_size)
        found: list[DeviceScores] = []
        with _running(self.settings), enough_memory():
            for start in range(0, len(images), step):
                found.extend(self._batch(images[start : start + step], plan))
        return found

    def _plan(self, image_px: SizePx) -> InputPlan:
        return plan_input(self.card, image_px, self.settings.input_size_px, self.network.resized_px)

    def _scaled(self, plan: InputPlan, scale: float) -> InputPlan:
        return plan if scale == 1.0 else scaled_plan(self.card, plan, scale)

    def _batch(self, images: Sequence[UInt8], plan: InputPlan) -> list[DeviceScores]:
        scales, flip = all_scales(self.settings.tta_scales), self.settings.tta_flip
        plans = [self._scaled(plan, scale) for scale in scales]
        inputs = [network_input(self.card, images, each, self.settings.device) for each in plans]
        kind: ScoreKind = self.card.output
        if len(inputs) == 1 and not flip:
            scores = self._scores(inputs[0])
        else:
            kind = "probabilities"
            scores = mean_probabilities(self._probabilities, inputs, flip=flip, align_corners=self.card.align_corners)
        return [DeviceScores(each, kind, self.card.align_corners, plan.extent_px) for each in scores]

    def _scores(self, batch: Tensor) -> Tensor:
        """(N, num_classes, h, w) float32, logits or probabilities as the card says."""
        return _kept(self.card, run_network(self.network, batch))

    def _probabilities(self, batch: Tensor) -> Tensor:
        scores = self._scores(batch)
        return scores if self.card.output == "probabilities" else scores.softmax(dim=1)


def load_segmenter(
    card: ModelCard,
    weights: Path | None,
    taxonomy_size: int,
    settings: SegmentSettings,
    trust_sha256: str = "",
    image_px: SizePx | None = None,
) -> Segmenter:
    """A network ready to label images.

    Args:
        card: its model card.
        weights: its weights; None for those that the card names, which are then held against the card's SHA-256.
        taxonomy_size: number of classes of the card's taxonomy.
        settings: device, precision, batch size, input size, augmentation, threads, backend (`auto` is settled here).
        trust_sha256: the user's word for a file that may run code.
        image_px: (H, W) of the images to come, on which `auto` compares backends; None where unknown.

    Raises:
        ModelError: the weights are absent, damaged, of another network, or not those that the card names.
        UntrustedModelError: the weights may run code, and the user has not vouched for them.
        TaxonomyError: the network has more or fewer outputs than the taxonomy has classes.
        ConfigError: a precision, size or backend that this network or device can't do.
        MissingExtraError: a package that this architecture needs is not installed.
    """
    _check_settings(settings)
    path = find_weights(card.name, card) if weights is None else Path(weights)
    wanted = taxonomy_size + len(card.drop_channels)
    request = LoadRequest(wanted, settings.device, settings.threads, trust_sha256)
    network = load_network(card, path, request)
    _check_fits(network, settings)
    with _running(settings):
        choice = choose_backend(network, settings, image_px)
        network, settings = choice.network, choice.settings
        outputs = network.num_outputs or _probe(network, settings)
    if outputs != wanted or max(network.card.drop_channels, default=-1) >= outputs:
        dropped = f" ({len(card.drop_channels)} of them dropped)" if card.drop_channels else ""
        raise TaxonomyError(
            f"the network has {outputs} outputs{dropped} and taxonomy {card.taxonomy} has {taxonomy_size} classes",
            where=card.name,
            todo="name the taxonomy of the network's own outputs in its model card",
        )
    return Segmenter(network, settings, taxonomy_size, choice.notes)


def _check_fits(network: Network, settings: SegmentSettings) -> None:
    name, only = network.card.name, network.fixed_input_px
    if settings.precision != "fp32" and not network.any_precision:
        raise ConfigError(f"{name} keeps the precision of its file", expected="--precision fp32")
    if only is not None and settings.input_size_px not in (None, only):
        raise ConfigError(f"{name} takes one input size", expected=f"{only[1]}x{only[0]}")
    if only is not None and set(settings.tta_scales) != {1.0}:
        raise ConfigError(f"{name} takes one input size, and augmentation asks for several scales")


def _kept(card: ModelCard, scores: Tensor) -> Tensor:
    """Without the dropped channels; probabilities are made to sum to 1 again."""
    if not card.drop_channels:
        return scores
    kept = [channel for channel in range(scores.shape[1]) if channel not in card.drop_channels]
    scores = scores[:, kept]
    return scores / scores.sum(dim=1, keepdim=True).clamp_min(1e-12) if card.output == "probabilities" else scores


def _probe(network: Network, settings: SegmentSettings) -> int:
    """The number of outputs, found by running the network once on grey."""
    small = (2 * network.card.multiple_px, 2 * network.card.multiple_px)
    size = settings.input_size_px or network.card.input_size_px or small
    return int(run_network(network, torch.zeros(1, 3, *size, device=settings.device)).shape[1])


def _running(settings: SegmentSettings) -> ExitStack:
    """What holds while a network runs: no gradients, repeatable kernels, full float32, precision and threads as set."""
    if torch.get_num_threads() != settings.threads:
        # OpenMP keeps this per calling thread, so every worker thread must say it.
        torch.set_num_threads(settings.threads)
    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    device = torch.device(settings.device).type
    if device == "cuda":
        stack.enter_context(
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        )
    if settings.precision != "fp32" and settings.backend in ("auto", "torch"):
        stack.enter_context(torch.autocast(device, dtype=_AUTOCAST[settings.precision]))
    return stack


def _check_settings(settings: SegmentSettings) -> None:
    if settings.precision == "fp16" and settings.device == "cpu":
        raise ConfigError("fp16 needs a CUDA device", expected="--precision fp32 or bf16 on a CPU")
    if settings.threads < 1 or settings.batch_size < 1:
        raise ConfigError("threads and batch size are at least 1")
    if any(not 0.1 <= scale <= 8.0 for scale in settings.tta_scales):
        raise ConfigError(f"scales {settings.tta_scales} for augmentation", expected="scales between 0.1 and 8")
