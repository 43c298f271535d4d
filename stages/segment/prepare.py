"""From uint8 images to the tensor that a network takes, as its card says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.model_card import ModelCard

SizePx = tuple[int, int]
"""(height, width)."""


@dataclass(frozen=True)
class InputPlan:
    """Sizes on the way from an image to a network's input, all (height, width).

    Attributes:
        resized_px: what the image is resized to.
        input_px: what the network sees: `resized_px`, or more where it is padded at the right and bottom.
        extent_px: the image area that the input spans, in image pixels.
    """

    resized_px: SizePx
    input_px: SizePx
    extent_px: SizePx


def plan_input(
    card: ModelCard,
    image_px: SizePx,
    override_px: SizePx | None = None,
    resized_px: Callable[[SizePx], SizePx] | None = None,
) -> InputPlan:
    """The sizes for one image size.

    Args:
        card: its `resize` policy, `multiple_px` and `input_size_px`.
        image_px: (H, W) of the image.
        override_px: (H, W) that the user wants instead of the policy's.
        resized_px: for `pad`, the network's own rule from image size to the size before padding.

    Raises:
        ConfigError: the wanted size is none that this network takes.
    """
    wanted = override_px or (card.input_size_px if card.resize == "fixed" else None)
    if wanted is not None:
        _check_multiple(wanted, card)
        return InputPlan(wanted, wanted, image_px)
    if card.resize == "pad":
        resized = resized_px(image_px) if resized_px else image_px
        padded = _each(resized, lambda side: -(-side // card.multiple_px) * card.multiple_px)
        spans = [round(whole * image / part) for whole, image, part in zip(padded, image_px, resized, strict=True)]
        return InputPlan(resized, padded, (spans[0], spans[1]))
    floored = _each(image_px, lambda side: max(1, side // card.multiple_px) * card.multiple_px)
    return InputPlan(floored, floored, image_px)


def scaled_plan(card: ModelCard, plan: InputPlan, scale: float) -> InputPlan:
    """The plan with its input `scale` times as large, at the nearest multiple; it spans the same image area."""
    size = _each(plan.input_px, lambda side: max(1, round(side * scale / card.multiple_px)) * card.multiple_px)
    inside = tuple(
        min(new, max(1, round(part * new / old)))
        for part, new, old in zip(plan.resized_px, size, plan.input_px, strict=True)
    )
    return InputPlan((inside[0], inside[1]), size, plan.extent_px)


def network_input(card: ModelCard, images: Sequence[UInt8], plan: InputPlan, device: str) -> Tensor:
    """(N, 3, h, w) float32 on the device: resized, scaled, normalised, in the card's channel order, then padded with 0.

    Args:
        card: normalisation and channel order.
        images: (H, W, 3) RGB, all of one size.
        plan: from `plan_input` for that size.
        device: where the tensor lies; only bytes travel there.
    """
    from paintpipe.stages.segment.upload import stacked, upload

    height, width = plan.resized_px
    batch = upload(stacked(images, plan.resized_px, pinned=device != "cpu"), device).permute(0, 3, 1, 2)
    batch = (batch.flip(1) if card.channel_order == "bgr" else batch).float()
    mean, std = _on_device(card.mean, device), _on_device(card.std, device)
    batch = (batch * card.input_scale - mean) / std
    bottom, right = plan.input_px[0] - height, plan.input_px[1] - width
    return torch.nn.functional.pad(batch, (0, right, 0, bottom)) if bottom or right else batch


@cache
def _on_device(values: tuple[float, float, float], device: str) -> Tensor:
    """(1, 3, 1, 1) on the device, sent there once: a copy like this waits for all that a GPU has to do before it."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=device).view(1, 3, 1, 1)


def _each(size: SizePx, rule: Callable[[int], int]) -> SizePx:
    return rule(size[0]), rule(size[1])


def _check_multiple(size: SizePx, card: ModelCard) -> None:
    if min(size) < 1 or any(side % card.multiple_px for side in size):
        near = _each(size, lambda side: max(1, round(side / card.multiple_px)) * card.multiple_px)
        raise ConfigError(
            f"input size {size[1]}x{size[0]} does not suit {card.name}",
            expected=f"multiples of {card.multiple_px} pixels, such as {near[1]}x{near[0]}",
        )
