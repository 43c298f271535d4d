"""The table of built-in networks and the way to their weights."""

import hashlib
from pathlib import Path

import pytest
from support.segment import make_card

from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.architectures import ARCHITECTURES, check_options, load_network
from paintpipe.stages.segment.card import card_to_toml
from paintpipe.stages.segment.network import LoadRequest
from paintpipe.stages.segment.registry import CARDS, find_card, find_weights, list_models


def test_every_built_in_card_is_complete() -> None:
    cards = list_models()
    assert [card.name for card in cards] == list(CARDS)
    for card in cards:
        assert card.architecture in ARCHITECTURES
        assert card.licence
        assert card.source
        assert card.trained_on
        assert card.weights
    published = {card.name: card for card in cards}
    assert all(published[f"espnetv2-s{scale}-cityscapes"].align_corners for scale in ("0.5", "1.0", "2.0"))
    assert published["bisenetv2-kitti"].channel_order == "bgr"


def test_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ModelError, match=r"no model and no model card 'espnet'; expected .*bisenetv2-kitti"):
        find_card("espnet")


def test_weights_are_the_given_ones_then_those_beside_the_card_then_those_fetched(tmp_path: Path) -> None:
    card = make_card(weights="w.bin")
    path, cache = tmp_path / "card.toml", tmp_path / "cache"
    path.write_text(card_to_toml(card))
    cache.mkdir()
    with pytest.raises(ModelError, match="not on this machine"):
        find_weights(path, card, cache=cache)
    (cache / "w.bin").write_bytes(b"fetched")
    assert find_weights(path, card, cache=cache) == cache / "w.bin"
    (tmp_path / "w.bin").write_bytes(b"beside")
    assert find_weights(path, find_card(path), cache=cache) == tmp_path / "w.bin"
    (tmp_path / "own.bin").write_bytes(b"own")
    assert find_weights(path, card, tmp_path / "own.bin", cache) == tmp_path / "own.bin"
    with pytest.raises(ModelError, match="no such weights file"):
        find_weights(path, card, tmp_path / "gone.bin", cache)


def test_only_the_cards_own_weights_are_held_against_its_checksum(tmp_path: Path) -> None:
    card = make_card(weights="w.bin", weights_sha256=hashlib.sha256(b"right").hexdigest())
    (tmp_path / "w.bin").write_bytes(b"wrong")
    with pytest.raises(ModelError, match=r"SHA-256 is .*not the card's"):
        find_weights("small", card, cache=tmp_path)
    assert find_weights("small", card, tmp_path / "w.bin") == tmp_path / "w.bin"
    (tmp_path / "w.bin").write_bytes(b"right")
    assert find_weights("small", card, cache=tmp_path) == tmp_path / "w.bin"


def test_a_hub_cards_folder_is_looked_for_beside_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = make_card(architecture="hf", weights="", architecture_options={"model": "exported"})
    (tmp_path / "cards" / "exported").mkdir(parents=True)
    (path := tmp_path / "cards" / "net.toml").write_text(card_to_toml(card))
    monkeypatch.chdir(tmp_path)
    assert find_weights(path, card) == tmp_path / "cards" / "exported"
    assert find_weights(path, make_card(architecture="hf", weights="", architecture_options={"model": "a/b"})) == Path(
        "a/b"
    )


def test_architectures_and_options_that_do_not_exist_are_named() -> None:
    with pytest.raises(ModelError, match="unknown architecture 'resnet'; expected one of bisenetv2"):
        load_network(make_card(architecture="resnet"), Path("x"), LoadRequest(5))
    with pytest.raises(ModelError, match=r"has no options depth; expected .* width"):
        check_options(make_card(architecture_options={"depth": 3}), ("width",))
