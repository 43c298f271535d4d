"""The networks that paintpipe knows by name, and where their weights lie."""

from pathlib import Path

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.card import load_card
from paintpipe.stages.segment.fetch import cache_folder

CARDS = {
    "street-tiny": "street-tiny.toml",
    "espnetv2-s0.5-cityscapes": "espnetv2-s0.5-cityscapes.toml",
    "espnetv2-s1.0-cityscapes": "espnetv2-s1.0-cityscapes.toml",
    "espnetv2-s2.0-cityscapes": "espnetv2-s2.0-cityscapes.toml",
    "bisenetv2-cityscapes": "bisenetv2-cityscapes.toml",
    "bisenetv2-kitti": "bisenetv2-kitti.toml",
}
_FOLDER = Path(__file__).parent / "cards"


def list_models() -> list[ModelCard]:
    """The cards of all built-in networks, in the table's order."""
    return [load_card(_FOLDER / file) for file in CARDS.values()]


def find_card(name_or_path: str | Path) -> ModelCard:
    """The card of a built-in network, or of a card file.

    Raises:
        ModelError: neither a known name (the message lists those) nor a card file.
    """
    return load_card(_card_path(name_or_path))


def find_weights(
    name_or_path: str | Path, card: ModelCard, given: Path | None = None, cache: Path | None = None
) -> Path:
    """Where a network's weights lie: the file given, else beside its card, else where `models fetch` puts them.

    Args:
        name_or_path: as for `find_card`.
        card: what `find_card` returned for it.
        given: the user's own file, taken as it is.
        cache: folder of fetched weights, None for the user's own.

    Raises:
        ModelError: no such file, or one of the card's that has not the card's SHA-256.
    """
    if given is not None:
        return _existing(Path(given))
    if card.architecture == "hf" and not card.weights:
        return _hub_model(name_or_path, str(card.architecture_options.get("model", "")))
    beside = _card_path(name_or_path).parent if _has_file(name_or_path) else _FOLDER
    for folder in (beside, cache or cache_folder()):
        path = folder / card.weights
        if card.weights and path.exists():
            _check_sha256(path, card)
            return path
    fetch = f"run `paintpipe models fetch {card.name}` or " if card.url else ""
    raise ModelError(
        f"the weights of {card.name} are not on this machine", todo=f"{fetch}give them with --weights FILE"
    )


def _card_path(name_or_path: str | Path) -> Path:
    if str(name_or_path) in CARDS:
        return _FOLDER / CARDS[str(name_or_path)]
    path = Path(name_or_path)
    if path.suffix.lower() not in (".toml", ".json") or not path.is_file():
        known = ", ".join(CARDS)
        raise ModelError(
            f"no model and no model card {str(name_or_path)!r}", expected=f"a card file, or one of {known}"
        )
    return path


def _hub_model(name_or_path: str | Path, model: str) -> Path:
    """A folder, which a card names from where it lies itself, or a hub name for the hub's own cache."""
    folder = _card_path(name_or_path).parent / model if _has_file(name_or_path) else Path(model)
    return folder if model and folder.is_dir() else Path(model)


def _has_file(name_or_path: str | Path) -> bool:
    return str(name_or_path) in CARDS or Path(name_or_path).is_file()


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ModelError("there is no such weights file", where=str(path))
    return path


def _check_sha256(path: Path, card: ModelCard) -> None:
    if not card.weights_sha256:
        return
    actual = sha256_of(path)
    if actual != card.weights_sha256.lower():
        raise ModelError(
            f"the file's SHA-256 is {actual}, not the card's",
            where=str(path),
            expected=card.weights_sha256,
            todo="fetch it again, or give your own file with --weights",
        )
