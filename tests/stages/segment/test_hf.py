"""Networks of transformers: tiny random ones, saved and loaded as people do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.segment import make_card, make_image

from paintpipe.schemas.errors import ModelError, TaxonomyError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.hf_processor import card_with_processor, edge_rule
from paintpipe.stages.segment.prepare import plan_input
from paintpipe.stages.segment.segmenter import load_segmenter

transformers = pytest.importorskip("transformers")
CARD = make_card(architecture="hf", architecture_options={})
SETTINGS = SegmentSettings(threads=1)


def _segformer(folder: Path) -> Any:
    torch.manual_seed(0)
    config = transformers.SegformerConfig(
        num_labels=4,
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
    )
    model = transformers.SegformerForSemanticSegmentation(config).eval()
    model.save_pretrained(folder)
    processor = transformers.SegformerImageProcessor(
        size={"height": 64, "width": 96}, image_mean=[0.1, 0.2, 0.3], image_std=[0.5, 0.4, 0.3]
    )
    processor.save_pretrained(folder)
    return model


def _mask2former(folder: Path) -> Any:
    torch.manual_seed(0)
    backbone = transformers.SwinConfig(
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone,
        num_labels=4,
        num_queries=6,
        hidden_dim=32,
        feature_size=32,
        mask_feature_size=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=16,
        encoder_feedforward_dim=16,
    )
    model = transformers.Mask2FormerForUniversalSegmentation(config).eval()
    model.save_pretrained(folder)
    transformers.Mask2FormerImageProcessor(
        size={"shortest_edge": 64, "longest_edge": 128}, num_labels=4
    ).save_pretrained(folder)
    return model


def test_segformer_with_its_processors_settings(tmp_path: Path) -> None:
    model = _segformer(tmp_path)
    segmenter = load_segmenter(CARD, tmp_path, 4, SETTINGS)
    card = segmenter.card
    assert (card.mean, card.std, card.resize, card.input_size_px) == (
        (0.1, 0.2, 0.3),
        (0.5, 0.4, 0.3),
        "fixed",
        (64, 96),
    )
    assert card.input_scale == pytest.approx(1 / 255)
    assert len(segmenter.weights_sha256) == 64
    image = make_image(64, 96)
    scores = segmenter.predict([image])[0]
    pixels = (torch.from_numpy(image).float() / 255 - torch.tensor(card.mean)) / torch.tensor(card.std)
    with torch.inference_mode():
        expected = model(pixel_values=pixels.permute(2, 0, 1)[None]).logits[0].numpy()
    assert scores.values.shape == (4, 16, 24)
    assert scores.kind == "logits"
    np.testing.assert_allclose(scores.values, expected, atol=1e-4)
    with pytest.raises(TaxonomyError, match="4 outputs"):
        load_segmenter(CARD, tmp_path, 5, SETTINGS)


def test_mask2former_agrees_with_its_own_post_processing(tmp_path: Path) -> None:
    model = _mask2former(tmp_path)
    segmenter = load_segmenter(CARD, tmp_path, 4, SETTINGS)
    image = make_image(64, 96)
    scores = segmenter.predict([image])[0]
    assert scores.kind == "probabilities"
    assert scores.extent_px == (64, 96)
    np.testing.assert_allclose(scores.values.sum(axis=0), 1, atol=1e-5)
    card = segmenter.card
    pixels = (torch.from_numpy(image).float() / 255 - torch.tensor(card.mean)) / torch.tensor(card.std)
    with torch.inference_mode():
        out = model(pixel_values=pixels.permute(2, 0, 1)[None])
    classes = torch.softmax(out.class_queries_logits[0].double(), -1)[:, :4].numpy()
    masks = 1 / (1 + np.exp(-out.masks_queries_logits[0].double().numpy()))
    expected = np.einsum("qc,qhw->chw", classes, masks)
    np.testing.assert_allclose(scores.values, expected / expected.sum(axis=0), atol=1e-4)


def test_folders_that_hold_no_such_network(tmp_path: Path) -> None:
    _segformer(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_sizes": [8, 8, 16, 32]}))
    with pytest.raises(ModelError, match=r"lack or misfit|can't load"):
        load_segmenter(CARD, tmp_path, 4, SETTINGS)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="can't load a semantic segmentation network"):
        load_segmenter(CARD, tmp_path, 4, SETTINGS)
    (tmp_path / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds no safetensors"):
        load_segmenter(CARD, tmp_path, 4, SETTINGS)


def test_code_in_the_folder_is_never_run(tmp_path: Path) -> None:
    _segformer(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForSemanticSegmentation": "evil.Model"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ModelError, match="can't load"):
        load_segmenter(CARD, tmp_path, 4, SETTINGS)
    assert not (tmp_path / "ran").exists()


def test_a_hub_name_that_was_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a download")

    monkeypatch.setattr("socket.socket.connect", never)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    card = make_card(architecture="hf", architecture_options={"model": "nobody/no-such-model"})
    with pytest.raises(ModelError, match="nobody/no-such-model can't be had here; run `paintpipe models fetch small`"):
        load_segmenter(card, None, 4, SETTINGS)


def test_processor_settings_as_a_card() -> None:
    plain = card_with_processor(CARD, {"do_rescale": False, "do_normalize": False})
    assert (plain.input_scale, plain.mean, plain.std, plain.resize) == (1.0, (0, 0, 0), (1, 1, 1), "pad")
    flipped = card_with_processor(CARD, {"do_rescale": True, "rescale_factor": 0.5, "do_flip_channel_order": True})
    assert (flipped.input_scale, flipped.channel_order) == (0.5, "bgr")
    with pytest.raises(ModelError, match="make no sense"):
        card_with_processor(CARD, {"do_normalize": True, "image_mean": 0.5, "image_std": [1, 1, 1]})


def test_a_fixed_size_without_a_divisor_need_be_no_multiple() -> None:
    fixed = {"do_resize": True, "size": {"height": 513, "width": 513}}
    odd = card_with_processor(CARD, fixed)
    assert (odd.multiple_px, odd.input_size_px) == (1, (513, 513))
    assert plan_input(odd, (370, 1224)).input_px == (513, 513)
    assert card_with_processor(CARD, fixed | {"size_divisor": 32}).multiple_px == 32
    assert card_with_processor(CARD, {"size": {"shortest_edge": 513}, "do_resize": True}).multiple_px == 32


def test_a_network_with_an_odd_fixed_size_runs(tmp_path: Path) -> None:
    _segformer(tmp_path)
    transformers.SegformerImageProcessor(size={"height": 65, "width": 97}).save_pretrained(tmp_path)
    scores = load_segmenter(CARD, tmp_path, 4, SETTINGS).predict([make_image(64, 96)])[0]
    assert scores.values.shape == (4, 17, 25)
    assert scores.extent_px == (64, 96)


def test_shortest_edge_keeps_proportions_and_bounds_the_longest() -> None:
    rule = edge_rule({"do_resize": True, "size": {"shortest_edge": 50, "longest_edge": 120}})
    assert rule is not None
    assert rule((100, 200)) == (50, 100)
    assert rule((100, 400)) == (30, 120)
    assert edge_rule({"do_resize": True, "size": {"height": 3, "width": 4}}) is None
    assert edge_rule({"do_resize": False, "size": {"shortest_edge": 50}}) is None
