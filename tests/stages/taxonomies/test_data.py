"""The data files against their sources, and against themselves."""

import numpy as np
import pytest

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import OTHER
from paintpipe.stages.taxonomies.load import box_classes, load_mapping, load_taxonomy, mapping_pairs, taxonomy_names

SIZES = {
    "cityscapes19": 19,
    "cityscapes19-background": 20,
    "cityscapes20-ego-vehicle": 20,
    "cityscapes20-void-first": 20,
    "kitti-det4": 4,
    "nuimages": 12,
    "nuscenes-det11": 11,
    "nuscenes16": 16,
    "semantickitti19": 19,
    "synthetic": 10,
}


def test_every_taxonomy_of_the_issue_is_there_with_its_size() -> None:
    assert {name: len(load_taxonomy(name)) for name in taxonomy_names()} == SIZES


@pytest.mark.parametrize("name", taxonomy_names())
def test_taxonomy_is_named_as_its_file_has_colours_and_a_source(name: str) -> None:
    taxonomy = load_taxonomy(name)
    assert taxonomy.name == name
    assert len(taxonomy.colors_rgb) == len(taxonomy.classes)
    assert taxonomy.source
    assert all(taxonomy.index(alias) is not None for alias in taxonomy.aliases)
    assert taxonomy.palette()[len(taxonomy) - 1].tolist() == list(taxonomy.colors_rgb[-1])
    assert all(0 <= channel < len(taxonomy) for channels in box_classes(name).values() for channel in channels)


@pytest.mark.parametrize(("source", "target"), mapping_pairs())
def test_mapping_is_row_stochastic_and_says_where_it_comes_from(source: str, target: str) -> None:
    mapping = load_mapping(source, target)
    assert mapping.matrix.shape == (len(mapping.source), len(mapping.target))
    assert (mapping.matrix >= 0).all()
    np.testing.assert_allclose(mapping.matrix.sum(axis=1), 1.0, atol=1e-12)
    assert mapping.origin
    assert mapping.target.name in (target, f"{target}+{OTHER}")
    assert mapping.target.background is None or OTHER not in mapping.target.classes


def test_cityscapes_train_ids_are_in_order() -> None:
    first = load_taxonomy("cityscapes19")
    ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert first.raw_ids == {raw: index for index, raw in enumerate(ids)}
    assert load_taxonomy("cityscapes19-background").classes == (*first.classes, "background")
    assert load_taxonomy("cityscapes20-void-first").classes == ("unlabeled", *first.classes)
    assert first.colors_rgb[first.classes.index("road")] == (128, 64, 128)


def test_semantickitti_ids_and_colours() -> None:
    taxonomy = load_taxonomy("semantickitti19")
    learning_map = {10: 1, 11: 2, 13: 5, 15: 3, 16: 5, 18: 4, 20: 5, 30: 6, 31: 7, 32: 8, 40: 9, 44: 10, 48: 11}
    learning_map |= {49: 12, 50: 13, 51: 14, 60: 9, 70: 15, 71: 16, 72: 17, 80: 18, 81: 19}
    learning_map |= {252: 1, 253: 7, 254: 6, 255: 8, 256: 5, 257: 5, 258: 4, 259: 5}
    assert taxonomy.raw_ids == {raw: train - 1 for raw, train in learning_map.items()}
    # The yaml's BGR [245, 150, 100] and [50, 120, 255].
    assert taxonomy.colors_rgb[taxonomy.classes.index("car")] == (100, 150, 245)
    assert taxonomy.colors_rgb[taxonomy.classes.index("fence")] == (255, 120, 50)


def test_nuscenes_agrees_with_the_devkit() -> None:
    lidarseg = pytest.importorskip("nuscenes.eval.lidarseg.utils")
    colormap = pytest.importorskip("nuscenes.utils.color_map").get_colormap()
    # The devkit's colour map lists the 32 categories in the order of their indices.
    tables = type("Tables", (), {"lidarseg_name2idx_mapping": {name: index for index, name in enumerate(colormap)}})
    mapper = lidarseg.LidarsegClassMapper(tables())
    taxonomy = load_taxonomy("nuscenes16")
    official = {fine: coarse - 1 for fine, coarse in mapper.fine_idx_2_coarse_idx_mapping.items() if coarse}
    assert taxonomy.raw_ids == official
    coarse = mapper.coarse_name_2_coarse_idx_mapping
    assert [coarse[name] - 1 for name in taxonomy.classes] == list(range(16))
    assert taxonomy.colors_rgb == tuple(mapper.coarse_colormap[name] for name in taxonomy.classes)


def test_detection_categories_agree_with_the_devkit() -> None:
    utils = pytest.importorskip("nuscenes.eval.detection.utils")
    colormap = pytest.importorskip("nuscenes.utils.color_map").get_colormap()
    taxonomy = load_taxonomy("nuscenes-det11")
    for category in colormap:
        name = utils.category_to_detection_name(category)
        assert taxonomy.index(category) == (None if name is None else taxonomy.classes.index(name))
    assert taxonomy.background == taxonomy.classes[-1] == "background"


def test_nuimages_ids_agree_with_the_devkit() -> None:
    utils = pytest.importorskip("nuimages.utils.utils")
    colormap = pytest.importorskip("nuscenes.utils.color_map").get_colormap()
    lidarseg_only = ("noise", "flat.other", "flat.sidewalk", "flat.terrain", "static.manmade", "static.other")
    names = [name for name in colormap if name not in (*lidarseg_only, "static.vegetation")]
    ids = utils.name_to_index_mapping([{"name": name} for name in names])
    taxonomy = load_taxonomy("nuimages")
    assert "vehicle.ego" in ids
    assert ids.pop("vehicle.ego") not in taxonomy.raw_ids
    background = taxonomy.classes.index("background")
    for name, raw in ids.items():
        expected = taxonomy.index(name)
        assert taxonomy.raw_ids[raw] == (background if expected is None else expected), name
    assert taxonomy.raw_ids[0] == background


def test_kitti_vans_and_trucks_are_no_cars() -> None:
    taxonomy = load_taxonomy("kitti-det4")
    assert taxonomy.classes == ("car", "pedestrian", "cyclist", "background")
    assert [taxonomy.index(name) for name in ("Car", "Pedestrian", "Cyclist")] == [0, 1, 2]
    assert [taxonomy.index(name) for name in ("Van", "Truck", "Tram", "Misc", "Person_sitting")] == [None] * 5


def test_synthetic_classes_are_in_the_order_that_the_renderer_writes() -> None:
    expected = [
        "road",
        "sidewalk",
        "building",
        "pole",
        "traffic-sign",
        "vegetation",
        "car",
        "pedestrian",
        "cyclist",
        "sky",
    ]
    assert list(load_taxonomy("synthetic").classes) == expected


def test_box_of_a_cyclist_may_be_painted_rider_or_bicycle() -> None:
    names = load_taxonomy("cityscapes19").classes
    table = box_classes("cityscapes19-background")
    assert {names[index] for index in table["Cyclist"]} == {"rider", "bicycle"}
    assert [names[index] for index in table["Car"]] == ["car"]
    assert [names[index] for index in table["Pedestrian"]] == ["person"]
    assert "Misc" not in table
    kitti = box_classes("kitti-det4")
    assert {name: kitti[name] for name in ("Car", "Pedestrian", "Cyclist")} == {
        "Car": (0,),
        "Pedestrian": (1,),
        "Cyclist": (2,),
    }


@pytest.mark.parametrize("name", [*taxonomy_names(), "cityscapes19+other"])
def test_a_box_called_as_a_class_is_judged_by_that_class(name: str) -> None:
    classes, table = load_taxonomy(name).classes, box_classes(name)
    assert [table[item] for item in classes] == [(channel,) for channel in range(len(classes))]
    assert all(table[alias] for alias in load_taxonomy(name).aliases)


def test_a_mapping_with_the_cyclist_rule_leaves_bicycles_to_the_background() -> None:
    mapping = load_mapping("cityscapes19", "kitti-det4")
    assert mapping.cyclist_rule
    rows = dict(zip(mapping.source.classes, mapping.matrix.argmax(axis=1), strict=True))
    kitti = [mapping.target.classes[rows[name]] for name in ("bicycle", "rider", "person", "car", "truck", "road")]
    assert kitti == ["background", "cyclist", "pedestrian", "car", "background", "background"]
    assert load_mapping("semantickitti19", "kitti-det4").cyclist_rule
    # nuScenes detects bicycles without riders too.
    assert not load_mapping("cityscapes19", "nuscenes-det11").cyclist_rule


@pytest.mark.parametrize("name", taxonomy_names())
def test_a_taxonomy_maps_to_itself(name: str) -> None:
    mapping = load_mapping(name, name)
    assert mapping.target is load_taxonomy(name)
    np.testing.assert_array_equal(mapping.matrix, np.eye(len(mapping.source)))


def test_a_taxonomy_that_gained_other_still_maps_on() -> None:
    further = load_mapping("semantickitti19+other", "kitti-det4")
    assert further.matrix[-1].tolist() == [0, 0, 0, 1]
    back = load_mapping("semantickitti19+other", "semantickitti19")
    assert back.target.classes[-1] == OTHER
    np.testing.assert_array_equal(back.matrix, np.eye(20))


def test_unknown_names_and_pairs_list_what_there_is() -> None:
    with pytest.raises(TaxonomyError, match=r"no taxonomy is called 'cityscape'.*cityscapes19, .*synthetic"):
        load_taxonomy("cityscape")
    with pytest.raises(TaxonomyError, match=r"expected one of kitti-det4, nuscenes16$"):
        load_mapping("semantickitti19", "cityscapes19")
    with pytest.raises(TaxonomyError, match="expected kitti-det4 itself: no mapping leads from it"):
        load_mapping("kitti-det4", "cityscapes19")
    with pytest.raises(TaxonomyError, match=r"no taxonomy is called '\.\./x'"):
        load_mapping("cityscapes19", "../x")
