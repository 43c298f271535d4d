"""Training BiSeNetV2 on labelled images held in memory, on a CPU, the same every time for the same seed and threads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from paintpipe.schemas.arrays import UNPAINTED, Int64, UInt8
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.augment import class_weights, random_colors, random_crop
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2

Example = tuple[UInt8, UInt8]
"""(H, W, 3) RGB image and (H, W) labels, 255 where ignored."""


@dataclass(frozen=True)
class TrainSettings:
    """How to train.

    Attributes:
        steps: optimiser steps; the learning rate rises for 5% of them and falls as a half cosine after.
        batch_size: crops a step.
        crop_px: (height, width), multiples of 32.
        learning_rate, weight_decay: of AdamW.
        seed: of weights, order, crops and colours.
        bfloat16: run the layers in bfloat16: nearly twice as fast on CPUs that have it. Weights stay float32.
        threads: of torch.
    """

    steps: int = 2200
    batch_size: int = 6
    crop_px: tuple[int, int] = (192, 320)
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    seed: int = 1
    bfloat16: bool = True
    threads: int = 1


def train_bisenetv2(
    card: ModelCard,
    num_classes: int,
    examples: Sequence[Example],
    settings: TrainSettings,
    on_step: Callable[[int, float], None] | None = None,
) -> BiSeNetV2:
    """A BiSeNetV2 of the card's options, trained on the examples; without auxiliary heads, which cost half the time.

    Args:
        card: gives architecture_options, input_scale, mean and std; RGB.
        num_classes: length of its taxonomy.
        examples: images and labels, all in memory.
        settings: how to train.
        on_step: called after each step with the number done and its loss.
    """
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    rng = np.random.default_rng(settings.seed)
    module = BiSeNetV2(num_classes, **card.architecture_options).to(memory_format=torch.channels_last)
    weights = torch.tensor(class_weights([labels for _, labels in examples], num_classes))
    optimiser = torch.optim.AdamW(module.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, settings.steps, pct_start=0.05, cycle_momentum=False
    )
    module.train()
    for step in range(settings.steps):
        images, labels = _batch(card, examples, settings, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            logits = module(images)
        loss = _loss(logits.float(), labels, weights)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if on_step is not None:
            on_step(step + 1, float(loss.detach()))
    return module.eval()


def normalised(card: ModelCard, images: Sequence[UInt8]) -> Tensor:
    """(N, 3, H, W) float32 input of the network from RGB images of one size."""
    stacked = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2)).float() * card.input_scale
    mean, std = torch.tensor(card.mean).view(1, 3, 1, 1), torch.tensor(card.std).view(1, 3, 1, 1)
    return ((stacked - mean) / std).contiguous(memory_format=torch.channels_last)


def export_state(module: BiSeNetV2) -> dict[str, Tensor]:
    """What is shipped: the state dict in float16."""
    state = module.state_dict()
    return {name: (each.half() if each.is_floating_point() else each).contiguous() for name, each in state.items()}


def confusion_matrix(truth: UInt8, found: UInt8, num_classes: int) -> Int64:
    """(C, C) counts, rows by true class; pixels whose truth is 255 are left out."""
    kept = truth != UNPAINTED
    flat = truth[kept].astype(np.int64) * num_classes + found[kept]
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def _batch(
    card: ModelCard, examples: Sequence[Example], settings: TrainSettings, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    picked = rng.integers(0, len(examples), settings.batch_size)
    crops = [random_crop(rng, *examples[int(index)], settings.crop_px) for index in picked]
    labels = torch.from_numpy(np.stack([labels for _, labels in crops]).astype(np.int64))
    return normalised(card, [random_colors(rng, image) for image, _ in crops]), labels


def _loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross entropy at full size, and a loss on the overlap, which keeps thin classes from being drowned."""
    if logits.shape[2:] != labels.shape[1:]:
        logits = F.interpolate(logits, size=labels.shape[1:], mode="bilinear", align_corners=False)
    return F.cross_entropy(logits, labels, weights, ignore_index=UNPAINTED) + _jaccard_loss(logits, labels)


def _jaccard_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 minus the soft intersection over union of the batch, mean over the classes present (Rahman and Wang, 2016)."""
    known = (labels != UNPAINTED).unsqueeze(1)
    found = logits.softmax(dim=1) * known
    truth = F.one_hot(labels.clamp(max=logits.shape[1] - 1), logits.shape[1]).permute(0, 3, 1, 2) * known
    both, either = (found * truth).sum(dim=(0, 2, 3)), (found + truth - found * truth).sum(dim=(0, 2, 3))
    present = truth.sum(dim=(0, 2, 3)) > 0
    return 1.0 - (both[present] / either[present]).mean()
