"""The table of architectures, each loaded late from its own module."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.network import LoadRequest, Network

Loader = Callable[[ModelCard, Path, LoadRequest], Network]

_LOADERS = {
    "bisenetv2": "paintpipe.stages.segment.builtin:load_bisenetv2",
    "espnetv2": "paintpipe.stages.segment.builtin:load_espnetv2",
    "onnx": "paintpipe.stages.segment.onnx:load_onnx",
    "torch-export": "paintpipe.stages.segment.programs:load_exported",
    "torchscript": "paintpipe.stages.segment.programs:load_torchscript",
    "zoo": "paintpipe.stages.segment.zoo:load_zoo",
    "hf": "paintpipe.stages.segment.hf:load_hf",
}
ARCHITECTURES = tuple(_LOADERS)


def load_network(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """The card's network with its weights, on its device.

    Raises:
        ModelError: an unknown architecture, options that it does not have, or weights that do not fit.
        UntrustedModelError: weights that may run code.
        MissingExtraError: the architecture needs a package that is not installed.
    """
    if card.architecture not in _LOADERS:
        raise ModelError(
            f"unknown architecture {card.architecture!r}", where=card.name, expected="one of " + ", ".join(_LOADERS)
        )
    module, _, function = _LOADERS[card.architecture].partition(":")
    loader: Loader = getattr(import_module(module), function)
    return loader(card, weights, request)


def check_options(card: ModelCard, known: tuple[str, ...]) -> None:
    """Raises ModelError where the card has architecture options that this architecture does not know."""
    unknown = sorted(set(card.architecture_options) - set(known))
    if unknown:
        raise ModelError(
            f"{card.architecture} has no options {', '.join(unknown)}",
            where=card.name,
            expected=f"architecture_options among {', '.join(known) or 'none'}",
        )
