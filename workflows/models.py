"""`paintpipe models`: which networks there are, and fetching their weights."""

from pathlib import Path
from typing import Any

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.fetch import fetch_weights
from paintpipe.stages.segment.registry import find_card, list_models

SHIPPED = "street-tiny"
"""The one network whose weights are part of paintpipe."""


def list_text() -> str:
    """Every built-in card, a paragraph each."""
    end = "Any ONNX file and your own weights work with a model card of your own: see docs/models.md."
    return "\n\n".join([*(_card_text(card) for card in list_models()), end])


def list_json() -> dict[str, Any]:
    """The same for programs: `models`, a list of cards."""
    return {"models": [_card_json(card) for card in list_models()]}


def fetch(name: str, folder: Path | None, quiet: bool) -> Path | None:
    """Download a network's weights; returns where they lie, None where they come with paintpipe.

    Raises:
        ModelError: the network's weights are published nowhere that can be fetched from, or don't arrive whole.
    """
    card = find_card(name)
    from_hub = card.architecture == "hf"  # its option `model` is the address
    if not card.url and not from_hub:
        if card.name == SHIPPED:
            return None
        todo = f"get them from {card.source or 'their makers'} and pass them with --weights"
        raise ModelError("no published address for these weights", where=name, todo=todo)
    if from_hub and folder is not None:
        raise ModelError(
            "models of the hub go to the hub's own cache", where=name, todo="leave out --to, or set HF_HOME"
        )
    return fetch_weights(card, folder, progress=not quiet)


def fetched_text(name: str, path: Path | None) -> str:
    """What the command says after `fetch`."""
    if path is None:
        return f"{name} comes with paintpipe\nnext: paintpipe paint --model {name}"
    return f"{path}\nnext: paintpipe paint --model {name} --weights {path}"


def _card_text(card: ModelCard) -> str:
    facts = (
        ("classes", card.taxonomy),
        ("trained on", card.trained_on),
        ("licence", card.licence),
        ("source", card.source),
        ("weights", "shipped" if card.name == SHIPPED else _weights_text(card)),
        ("note", card.notes),
    )
    return "\n".join([card.name, *(f"  {name:<11}{text}" for name, text in facts if text)])


def _card_json(card: ModelCard) -> dict[str, Any]:
    shipped = card.name == SHIPPED
    return {
        "name": card.name,
        "architecture": card.architecture,
        "taxonomy": card.taxonomy,
        "trained_on": card.trained_on,
        "licence": card.licence,
        "source": card.source,
        "notes": card.notes,
        "weights": "shipped" if shipped else ("fetch" if card.url else "bring"),
        "weights_sha256": card.weights_sha256,
    }


def _weights_text(card: ModelCard) -> str:
    return f"paintpipe models fetch {card.name}" if card.url else "get them from the source, pass them with --weights"
