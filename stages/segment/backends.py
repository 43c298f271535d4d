"""What computes a network's forward pass, and which of them `auto` takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Literal

import torch

from paintpipe.schemas.errors import ConfigError, MissingExtraError, ModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.agreement import check_image, difference, disagreement
from paintpipe.stages.segment.compiled import Compiled, Shape
from paintpipe.stages.segment.fold import folded
from paintpipe.stages.segment.network import Network, run_network
from paintpipe.stages.segment.prepare import SizePx, network_input, plan_input

Engine = Literal["torch", "onnxruntime", "openvino"]
PREFERENCE: tuple[Engine, ...] = ("openvino", "onnxruntime", "torch")
"""Fastest first by benchmarks/backends.py: fixed, for a run that goes on after a kill must choose as the first did."""

_ENGINES = {
    "openvino": "paintpipe.stages.segment.openvino_engine",
    "onnxruntime": "paintpipe.stages.segment.onnxruntime_engine",
}
_TYPICAL_PX = (256, 512)


@dataclass(frozen=True)
class Choice:
    """A network with its backend settled.

    Attributes:
        network: its `forward` runs by that backend.
        settings: `backend` names it.
        notes: a line for each backend that `auto` tried and did not take.
    """

    network: Network
    settings: SegmentSettings
    notes: tuple[str, ...] = ()


def choose_backend(network: Network, settings: SegmentSettings, image_px: SizePx | None = None) -> Choice:
    """The network run by the backend that is asked for.

    `auto` takes the first of PREFERENCE that is installed, can run the network, and gives what eager PyTorch gives
    (onnxruntime, for an ONNX file) on a fixed image; on a GPU that is PyTorch itself. At bf16, no two ways of rounding
    agree so closely: there a backend may be twice as far from float32 as PyTorch's own bf16 is.

    Args:
        network: as loaded.
        settings: how to run it.
        image_px: (H, W) of the images to come, None where unknown.

    Raises:
        ConfigError: a backend that this network, device or precision can't have.
        MissingExtraError: the backend's package is not installed.
        ModelError: the backend asked for can't run this network.
    """
    if settings.backend != "auto":
        chosen = with_backend(network, settings)
        if isinstance(chosen.forward, Compiled) and (image_px or network.program):
            chosen.forward.prepare(_shape(network, settings, image_px or _TYPICAL_PX))
        return Choice(chosen, settings)
    usual = replace(settings, backend="torch" if network.program is None else "onnxruntime")
    notes: list[str] = []
    for asked in _faster(usual):
        try:
            candidate = with_backend(network, asked)
        except (MissingExtraError, ConfigError):
            continue  # not installed, or not for this network or CPU
        try:
            fault = _fault(network, candidate, usual, image_px or _TYPICAL_PX)
        except ModelError as error:
            fault = error.what
        if not fault:
            return Choice(candidate, asked, tuple(notes))
        notes.append(f"--backend auto leaves {asked.backend} out: {fault}")
    return Choice(with_backend(network, usual), usual, tuple(notes))


def _shape(network: Network, settings: SegmentSettings, image_px: SizePx) -> Shape:
    """The input shape of a full batch of images of one size."""
    batch = network.program.batch if network.program and network.program.batch else settings.batch_size
    plan = plan_input(network.card, image_px, settings.input_size_px, network.resized_px)
    return (batch, 3, *plan.input_px)


def _faster(usual: SegmentSettings) -> list[SegmentSettings]:
    """The settings of every backend that is preferred to the usual one, best first."""
    if usual.device != "cpu":
        return []
    engines = PREFERENCE[: PREFERENCE.index(usual.backend)]
    return [replace(usual, backend=engine) for engine in engines if usual.precision == "fp32" or engine == "openvino"]


def _fault(network: Network, candidate: Network, usual: SegmentSettings, image_px: SizePx) -> str:
    """What speaks against a backend: how it differs from the usual one on a fixed image; "" for nothing."""
    plan = plan_input(network.card, image_px, usual.input_size_px, network.resized_px)
    batch = (network.program.batch if network.program else None) or 1
    images = network_input(network.card, [check_image(plan.resized_px)] * batch, plan, usual.device)
    try:
        reference = network if network.program is None else with_backend(network, usual)
    except MissingExtraError:
        return ""  # an ONNX file without onnxruntime: there is nothing to hold it against
    with torch.autocast("cpu", enabled=False):
        expected, found = run_network(reference, images), run_network(candidate, images)
    slack = (0.0, 0.0)
    if usual.precision != "fp32":  # the caller has autocast on
        labels, scores = difference(expected, run_network(reference, images), network.card.output)
        slack = (2 * (1 - labels), 2 * scores)
    return disagreement(expected, found, network.card.output, slack)


def with_backend(network: Network, settings: SegmentSettings) -> Network:
    """The network with a forward pass by `settings.backend`, which is none of its own choosing."""
    name = settings.backend
    if name == "torch":
        if network.program is not None:
            expected = "--backend auto, onnxruntime or openvino"
            raise ConfigError("an ONNX file does not run under torch", where=network.card.name, expected=expected)
        return folded(network, settings)
    if name not in _ENGINES:
        raise ConfigError(f"unknown backend {name!r}", expected="one of " + ", ".join(("auto", *PREFERENCE)))
    engine: Any = import_module(_ENGINES[name])
    check: Callable[[SegmentSettings], None] = getattr(engine, f"check_{name}")
    check(settings)
    source = network.program or network.module
    if source is None:
        raise ConfigError(f"this network runs under torch alone, not {name}", where=network.card.name)
    any_shape = network.program is not None and name == "onnxruntime"
    forward = Compiled(getattr(engine, f"compile_{name}"), source, settings, any_shape=any_shape)
    return replace(network, forward=forward)
