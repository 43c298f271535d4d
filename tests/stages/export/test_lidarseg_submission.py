import io
import json
import zipfile

import numpy as np
import pytest
from support.export_frames import make_done
from support.submissions import exported, make_keyframe, reader, submission_facts

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.submissions.nuscenes_lidarseg import CLASSES, NuscenesLidarsegTarget
from paintpipe.stages.taxonomies.load import load_taxonomy

TARGET = NuscenesLidarsegTarget()
FACTS = submission_facts("nuscenes")


def test_labels_are_the_challenges_indices():
    frame = make_keyframe(labels=[0, 4, 15])
    files = TARGET.export(frame, FACTS).files
    path = f"lidarseg/mini_val/{frame.row.sweep_token}_lidarseg.bin"
    assert files == {path: bytes([1, 5, 16])}


def test_indices_are_the_devkits():
    from nuscenes.eval.lidarseg.utils import LidarsegClassMapper

    mapper = LidarsegClassMapper.__new__(LidarsegClassMapper)
    mapper.ignore_class = mapper.get_ignore_class()
    indices = mapper.get_coarse2idx()
    assert [indices[name] for name in CLASSES] == list(range(1, 17))
    assert load_taxonomy("nuscenes16").classes == CLASSES


def test_a_point_without_a_class_is_told_with_what_to_add():
    with pytest.raises(ConfigError, match=r"1 of 2 points are unlabelled.*--fill nearest"):
        TARGET.export(make_keyframe(labels=[3, 255]), FACTS)


@pytest.mark.parametrize("split", [None, "none", "detect"])
def test_a_scene_of_no_official_split_is_refused(split):
    with pytest.raises(ExportError, match="no official split"):
        TARGET.export(make_keyframe(split=split), FACTS)


def test_the_meta_tells_of_the_inputs():
    files = exported(TARGET, [make_keyframe()], FACTS)
    assert json.loads(files["mini_val/submission.json"]) == {
        "meta": {
            "use_camera": True, "use_lidar": True, "use_radar": False, "use_map": False, "use_external": True,
        }
    }  # fmt: skip
    own = submission_facts("nuscenes", options=(("use_external", "false"), ("use_map", "yes")))
    meta = json.loads(exported(TARGET, [make_keyframe()], own)["mini_val/submission.json"])["meta"]
    assert (meta["use_external"], meta["use_map"]) == (False, True)


def test_an_option_that_it_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="use_radar"):
        TARGET.settle(ExportSettings(options=(("use_radar", "true"),)), "nuscenes", ("x", "y", "z"))
    with pytest.raises(ConfigError, match="a catalog of nuscenes"):
        TARGET.settle(ExportSettings(), "semantickitti", ("x", "y", "z"))


def test_what_was_exported_has_no_faults():
    frame = make_keyframe(labels=range(16))
    files = exported(TARGET, [frame], FACTS)
    assert list(TARGET.faults(frame, FACTS, reader(files))) == []
    assert list(TARGET.finish_faults([make_done(frame)], FACTS, reader(files))) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ([1, 5], "2 predictions, but 3 points"),
        ([1, 5, 0], "1 predictions are not in 1 to 16"),
        ([1, 17, 16], "1 predictions are not in 1 to 16"),
        ([2, 5, 16], "1 labels are not those of the layer"),
    ],
)
def test_damaged_predictions_are_found(found, fault):
    frame = make_keyframe()
    (path,) = TARGET.export(frame, FACTS).files
    files = {path: np.array(found, np.uint8).tobytes()}
    assert fault in " ".join(TARGET.faults(frame, FACTS, reader(files)))


ALL_KEYS = ("use_camera", "use_lidar", "use_radar", "use_map", "use_external")


@pytest.mark.parametrize(
    ("meta", "fault"),
    [({"use_camera": True}, "meta holds use_camera"), (dict.fromkeys(ALL_KEYS, 1), "neither true nor false")],
)
def test_a_damaged_meta_is_found(meta, fault):
    frame = make_keyframe()
    files = exported(TARGET, [frame], FACTS) | {"mini_val/submission.json": json.dumps({"meta": meta}).encode()}
    assert fault in " ".join(TARGET.finish_faults([make_done(frame)], FACTS, reader(files)))


def test_the_zip_holds_labels_and_meta_side_by_side():
    frame = make_keyframe()
    files = exported(TARGET, [frame], FACTS)
    buffer = io.BytesIO()
    TARGET.archive([make_done(frame)], FACTS, reader(files), buffer)
    with zipfile.ZipFile(buffer) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        assert names == [f"lidarseg/mini_val/{frame.row.sweep_token}_lidarseg.bin", "mini_val/submission.json"]
        assert archive.testzip() is None


def test_a_partial_export_says_which_scenes_are_missing():
    frame = make_done(make_keyframe(sequence="scene-0103"))
    _, *lines = TARGET.notes([frame], FACTS)
    assert lines == ["  set mini_val: 1 of 81 scans", "  nothing of 1 sequences: scene-0916"]
