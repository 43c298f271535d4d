"""A transformers image processor's settings, as a model card says them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.prepare import SizePx


def card_with_processor(card: ModelCard, settings: Mapping[str, Any]) -> ModelCard:
    """The card with the processor's scale, mean, std, channel order and size. Cropping is left out: all is painted.

    Args:
        card: what it does not settle stays.
        settings: `to_dict()` of an image processor.

    Raises:
        ModelError: settings that no card can say.
    """
    normalise = settings.get("do_normalize", False)
    try:
        mean, std = ((_triple(settings[key]) if normalise else None) for key in ("image_mean", "image_std"))
        scale = float(settings.get("rescale_factor") or 1.0) if settings.get("do_rescale", False) else 1.0
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the image processor's settings make no sense ({error})", where=card.name) from error
    bgr = bool(settings.get("do_flip_channel_order", False))
    card = replace(
        card,
        input_scale=scale,
        mean=mean or (0.0, 0.0, 0.0),
        std=std or (1.0, 1.0, 1.0),
        channel_order="bgr" if bgr else "rgb",
    )
    fixed = _fixed_size(settings)
    # A processor with a size of its own and no divisor feeds just that size, such as 513x513.
    fallback = 1 if fixed else card.multiple_px
    multiple = int(settings.get("size_divisor") or settings.get("pad_size_divisor") or fallback)
    return replace(card, multiple_px=multiple, resize="fixed" if fixed else "pad", input_size_px=fixed)


def edge_rule(settings: Mapping[str, Any]) -> Callable[[SizePx], SizePx] | None:
    """Image size → size after the processor's resize, where that keeps the image's proportions; None where not."""
    size = settings.get("size") or {}
    shortest, longest = size.get("shortest_edge"), size.get("longest_edge")
    if not settings.get("do_resize", False) or not shortest:
        return None

    def resized(image_px: SizePx) -> SizePx:
        scale = int(shortest) / min(image_px)
        if longest and max(image_px) * scale > int(longest):
            scale = int(longest) / max(image_px)
        return max(1, round(image_px[0] * scale)), max(1, round(image_px[1] * scale))

    return resized


def _fixed_size(settings: Mapping[str, Any]) -> SizePx | None:
    size = settings.get("size") or {}
    if not settings.get("do_resize", False) or "height" not in size or "width" not in size:
        return None
    return int(size["height"]), int(size["width"])


def _triple(values: Any) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
