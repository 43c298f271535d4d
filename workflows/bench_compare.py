"""The plain loop of `benchmarks/`, run on the frames and the network of a bench."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.workflows.paint_frames import FrameJob

PLAIN_LOOP = Path(__file__).parents[1] / "benchmarks" / "plain_loop.py"
"""Kept beside the package in a source checkout; it is no part of an installed one."""


def load_plain_loop() -> ModuleType:
    """The plain loop's module.

    Raises:
        ConfigError: this is no source checkout.
    """
    spec = importlib.util.spec_from_file_location("plain_loop", PLAIN_LOOP)
    if spec is None or spec.loader is None or not PLAIN_LOOP.is_file():
        todo = "install from a checkout with `pip install -e`, or leave --compare out"
        raise ConfigError("--compare needs benchmarks/plain_loop.py of paintpipe's source", todo=todo)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain_frames(loop: ModuleType, root: Path, jobs: Sequence[FrameJob]) -> list[Any]:
    """The loop's view of some frames.

    Raises:
        ConfigError: point files that are no raw float32.
    """
    for job in jobs:
        if job.row.points_format != "float32":
            raise ConfigError(f"--compare reads raw float32 points, not {job.row.points_format}", where=job.key)
    return [
        loop.Frame(
            root / job.row.points_path,
            len(job.row.point_features),
            tuple((root / row.image_path, np.asarray(row.image_from_lidar)) for row in job.images),
        )
        for job in jobs
    ]


def plain_net(loop: ModuleType, model: str, weights: Path | None, settings: SegmentSettings) -> Any:
    """The loop's view of a network: the module with its weights, and nothing of the engine around it.

    Raises:
        ConfigError: no torch module stands behind it (ONNX), or its output is no logits.
        ModelError: it can't be loaded.
    """
    import torch

    from paintpipe.stages.segment.architectures import load_network
    from paintpipe.stages.segment.network import LoadRequest
    from paintpipe.stages.segment.prepare import plan_input
    from paintpipe.stages.segment.registry import find_card, find_weights
    from paintpipe.stages.taxonomies.load import load_taxonomy

    card = find_card(model)
    outputs = len(load_taxonomy(card.taxonomy)) + len(card.drop_channels)
    request = LoadRequest(outputs, settings.device, settings.threads)
    network = load_network(card, find_weights(model, card, weights), request)
    if network.module is None or card.output != "logits" or card.resize == "pad":
        raise ConfigError("--compare takes torch networks that return logits and need no padding", where=card.name)
    return loop.Net(
        module=network.module.to(memory_format=torch.contiguous_format),
        mean=np.asarray(card.mean, dtype=np.float32),
        std=np.asarray(card.std, dtype=np.float32),
        scale=card.input_scale,
        bgr=card.channel_order == "bgr",
        size_px=lambda size: plan_input(card, size, settings.input_size_px).input_px,
        align_corners=card.align_corners,
        kept=[channel for channel in range(outputs) if channel not in card.drop_channels],
        device=settings.device,
    )
