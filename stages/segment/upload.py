"""Bytes of images on their way to the device, while the device is still at work on others."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor

from paintpipe.schemas.arrays import UInt8


def stacked(images: Sequence[UInt8], size_px: tuple[int, int], *, pinned: bool) -> Tensor:
    """(N, h, w, 3) uint8 of images resized bilinearly to one size, in page-locked memory where `pinned`."""
    height, width = size_px
    batch = torch.empty((len(images), height, width, 3), dtype=torch.uint8, pin_memory=pinned)
    for image, place in zip(images, batch.numpy(), strict=True):
        if image.shape[:2] == size_px:
            np.copyto(place, image)
        else:
            cv2.resize(image, (width, height), dst=place, interpolation=cv2.INTER_LINEAR)
    return batch


def upload(batch: Tensor, device: str) -> Tensor:
    """The batch on the device; what is queued there after this call waits for it, the caller does not."""
    target = torch.device(device)
    if target.type != "cuda":
        return batch.to(target)
    ready = torch.cuda.current_stream(target)
    copying = _copy_stream(device)
    with torch.cuda.stream(copying):
        moved = batch.to(target, non_blocking=True)
    ready.wait_stream(copying)
    # Else the memory might be handed out again while this stream still reads it.
    moved.record_stream(ready)
    return moved


@cache
def _copy_stream(device: str) -> torch.cuda.Stream:
    """The one stream on which copies to a device run beside its computing."""
    return torch.cuda.Stream(device=device)  # type: ignore[no-untyped-call]
