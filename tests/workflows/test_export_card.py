"""What the card of an export says of data and networks."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from support.catalog import make_info

from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.columns import score_columns
from paintpipe.stages.segment.registry import find_card
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.export_card import LICENCES, export_card

DET4 = load_taxonomy("kitti-det4")


def card_of(painter: dict[str, Any], **info: Any) -> dict[str, Any]:
    attributes = {"taxonomy": "cityscapes19", "painter": painter, "settings": {}, "paint_format": 1}
    layer: Any = SimpleNamespace(
        name="layer", table=SimpleNamespace(attributes=attributes), camera_names=("front",), taxonomy=DET4
    )
    settings = ExportSettings(taxonomy=DET4.name, options=(("zip", "no"),))
    return export_card("parquet", make_info(**info), layer, settings, DET4, score_columns(DET4, settings))


@pytest.mark.parametrize(
    ("dataset", "versions", "page"),
    [
        ("kitti", ["3.0"], "https://www.cvlibs.net/datasets/kitti/"),
        ("kitti-raw", ["3.0"], "https://www.cvlibs.net/datasets/kitti/"),
        ("semantickitti", ["3.0", "4.0"], "https://semantic-kitti.org/dataset.html#licence"),
        ("nuscenes", ["4.0"], "https://www.nuscenes.org/terms-of-use"),
    ],
)
def test_published_datasets_carry_their_licence_and_its_page(dataset: str, versions: list[str], page: str) -> None:
    source = card_of({"painter": "masks"}, dataset=dataset)["source"]
    assert re.findall(r"CC BY-NC-SA ([\d.]+)", source["licence"]) == versions
    assert source["licence_page"] == page
    assert source["licence"] == LICENCES[dataset][0]


def test_synthetic_and_custom_data() -> None:
    assert "paintpipe synth" in card_of({"painter": "masks"}, dataset="nuscenes", synthetic=True)["source"]["licence"]
    assert card_of({"painter": "masks"})["source"]["licence"] == "unknown to paintpipe"


def test_a_networks_licence_is_told_for_its_published_weights_alone() -> None:
    known = find_card("espnetv2-s1.0-cityscapes")
    network = card_of({"painter": "network", "model": known.name, "weights": known.weights_sha256})["network"]
    assert (network["licence"], network["weights_sha256"]) == (known.licence, known.weights_sha256)
    other = card_of({"painter": "network", "model": known.name, "weights": "0" * 64})["network"]
    assert other["licence"] == "unknown to paintpipe: other weights than the published ones"
    own = card_of({"painter": "network", "model": "mine", "weights": "0" * 64})["network"]
    assert own == {"model": "mine", "weights_sha256": "0" * 64, "licence": "unknown to paintpipe"}
    assert card_of({"painter": "masks"})["network"] is None


def test_settings_are_json() -> None:
    assert card_of({"painter": "masks"})["settings"]["options"] == {"zip": "no"}
    assert card_of({"painter": "masks"})["score_columns"] == ["car", "pedestrian", "cyclist"]
