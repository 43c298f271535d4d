"""Batch norms folded into the convolutions before them: one pass over memory less for each."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.network import Network

_EQUAL_TO = 1e-4
"""Of the largest output: folding rounds anew, at about 1e-6; a norm folded wrongly is off by far more."""
_SIDE_PX = 128

Pair = tuple[str, str]
"""Names of a convolution and of the batch norm that takes its output."""


def folded(network: Network, settings: SegmentSettings) -> Network:
    """The network with every batch norm folded that can be, or as it is where that would change what it says.

    Pairs are seen, not guessed: a norm is folded into the one convolution whose output it was given in a pass, and the
    folded network must then give what the whole one gave.
    """
    module = network.module
    if module is None or network.forward is not module or isinstance(module, torch.jit.ScriptModule):
        return network
    size = settings.input_size_px or network.card.input_size_px or (_near(network), _near(network))
    images = torch.linspace(-1.0, 1.0, 3 * size[0] * size[1], device=settings.device).sin().view(1, 3, *size)
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(images.device.type, enabled=False):
        try:
            pairs, expected = conv_norm_pairs(module, images)
        except RuntimeError:
            return network  # this size is none of its sizes, and its own error comes with a real image
        if not pairs:
            return network
        lighter = fold_pairs(module, pairs)
        found = lighter(images)
    if not bool(((found - expected).abs().max() <= _EQUAL_TO * expected.abs().max().clamp_min(1.0)).item()):
        return network
    return replace(network, forward=lighter, module=lighter)


def conv_norm_pairs(module: nn.Module, images: Tensor) -> tuple[list[Pair], Tensor]:
    """The pairs of one pass over `images`, each layer called once in it, and what the module returned."""
    made: dict[int, tuple[str, Any]] = {}
    calls: dict[str, int] = {}
    pairs: list[Pair] = []

    def after_conv(name: str, output: Tensor) -> None:
        calls[name] = calls.get(name, 0) + 1
        made[id(output)] = (name, output)  # kept alive, so that no other tensor takes its id

    def before_norm(name: str, given: Tensor) -> None:
        calls[name] = calls.get(name, 0) + 1
        if id(given) in made:
            pairs.append((made[id(given)][0], name))

    handles: list[Any] = []
    for name, layer in module.named_modules():
        if type(layer) is nn.Conv2d:
            handles.append(layer.register_forward_hook(lambda _m, _i, output, name=name: after_conv(name, output)))
        elif type(layer) is nn.BatchNorm2d and layer.running_mean is not None:
            handles.append(layer.register_forward_pre_hook(lambda _m, given, name=name: before_norm(name, given[0])))
    try:
        output: Tensor = module(images)
    finally:
        for handle in handles:
            handle.remove()
    return [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1], output


def fold_pairs(module: nn.Module, pairs: list[Pair]) -> nn.Module:
    """A copy of the module with each norm of `pairs` inside its convolution, and nothing in its place."""
    lighter = deepcopy(module)
    for conv, norm in pairs:
        layers: Any = (lighter.get_submodule(conv), lighter.get_submodule(norm))
        fused = fuse_conv_bn_eval(*layers)
        _put(lighter, conv, fused.requires_grad_(False).to(memory_format=torch.channels_last))
        _put(lighter, norm, nn.Identity())
    return lighter


def _put(module: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, layer)


def _near(network: Network) -> int:
    multiple = network.card.multiple_px
    return -(-_SIDE_PX // multiple) * multiple
