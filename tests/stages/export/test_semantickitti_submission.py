import io
import json
from dataclasses import replace

import numpy as np
import pytest
from support.export_frames import make_done
from support.submissions import exported, make_scan, reader, refusals, submission_facts

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.submissions.semantickitti import IDS, SCANS, SemanticKittiTarget
from paintpipe.stages.taxonomies.load import load_taxonomy

TARGET = SemanticKittiTarget()
FACTS = submission_facts("semantickitti")
LEARNING_MAP = {
    0: 0, 1: 0, 10: 1, 11: 2, 13: 5, 15: 3, 16: 5, 18: 4, 20: 5, 30: 6, 31: 7, 32: 8, 40: 9, 44: 10, 48: 11, 49: 12,
    50: 13, 51: 14, 52: 0, 60: 9, 70: 15, 71: 16, 72: 17, 80: 18, 81: 19, 99: 0, 252: 1, 253: 7, 254: 6, 255: 8,
    256: 5, 257: 5, 258: 4, 259: 5,
}  # fmt: skip
"""semantic-kitti.yaml, as the server applies it to predictions and labels alike."""


def zipped(files, frames):
    buffer = io.BytesIO()
    TARGET.archive([make_done(frame) for frame in frames], FACTS, reader(files), buffer)
    return buffer.getvalue()


def test_labels_are_written_with_the_official_ids():
    frame = make_scan("08", 7, labels=[0, 4, 8, 18])
    ((path, data),) = TARGET.export(frame, FACTS).files.items()
    assert path == "sequences/08/predictions/000007.label"
    assert np.frombuffer(data, "<u4").tolist() == [10, 20, 40, 81]


def test_the_server_reads_each_class_as_it_was_meant():
    frame = make_scan(labels=range(19))
    (data,) = TARGET.export(frame, FACTS).files.values()
    assert [LEARNING_MAP[id_] for id_ in np.frombuffer(data, "<u4").tolist()] == list(range(1, 20))


def test_ids_are_among_the_taxonomys_own():
    taxonomy = load_taxonomy("semantickitti19")
    assert list(IDS) == list(taxonomy.classes)
    assert [taxonomy.raw_ids[id_] for id_ in IDS.values()] == list(range(19))


def test_a_class_other_at_the_end_changes_nothing():
    other = replace(FACTS, taxonomy=load_taxonomy("semantickitti19+other"))
    frame = make_scan(labels=[0, 18])
    assert TARGET.export(frame, other).files == TARGET.export(frame, FACTS).files


def test_a_point_without_a_class_is_told_with_what_to_add():
    with pytest.raises(ConfigError) as caught:
        TARGET.export(make_scan("12", 3, labels=[1, 255, 255]), FACTS)
    line = caught.value.line()
    assert "sequence 12, scan 000003: 2 of 3 points are unlabelled" in line
    assert "--fill nearest" in line


def test_a_frame_with_nothing_to_fill_from_is_left_out_alone():
    with pytest.raises(ExportError, match="nothing to fill from"):
        TARGET.export(make_scan(labels=[255, 255]), submission_facts("semantickitti", fill="nearest"))


def test_a_frame_that_is_not_the_whole_scan_is_refused():
    with pytest.raises(ExportError, match=r"3 labels.*expected 4"):
        TARGET.export(make_scan(num_points=4), FACTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"one_hot": True}, "--one-hot"),
        ({"fov_only": True}, "--fov-only"),
        ({"classes": ("car",)}, "--classes"),
        ({"pad_channels": 20}, "--pad-channels"),
        ({"background": "drop"}, "--background"),
        ({"sweeps": 3}, "--sweeps"),
        ({"taxonomy": "kitti-det4"}, "expected semantickitti19"),
        ({"options": (("zap", "true"),)}, "no option 'zap'; expected one of zip"),
        ({"options": (("zip", "maybe"),)}, "expected true or false"),
    ],
)
def test_what_a_submission_has_no_room_for_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        TARGET.settle(ExportSettings(**settings), "semantickitti", ("x", "y", "z", "i"))


def test_another_dataset_has_no_such_benchmark():
    with pytest.raises(ConfigError, match="expected a catalog of semantickitti"):
        TARGET.settle(ExportSettings(), "kitti-raw", ("x", "y", "z", "i"))


def test_settled_settings_leave_nothing_open():
    settled = TARGET.settle(ExportSettings(fill="nearest"), "semantickitti", ("x", "y", "z", "i"))
    assert (settled.taxonomy, settled.background, settled.sweeps, settled.fill) == (
        "semantickitti19", "keep", 0, "nearest",
    )  # fmt: skip


def test_what_was_exported_has_no_faults():
    frame = make_scan()
    files = exported(TARGET, [frame], FACTS)
    assert list(TARGET.faults(frame, FACTS, reader(files))) == []
    assert list(TARGET.finish_faults([make_done(frame)], FACTS, reader(files))) == []


@pytest.mark.parametrize(
    ("ids", "fault"),
    [
        ([10, 20], "8 bytes, expected 12"),
        ([10, 20, 0], "1 labels are no id of learning_map_inv, such as 0"),
        ([252, 20, 81], "1 labels are no id of learning_map_inv, such as 252"),
        ([11, 20, 81], "1 labels are not those of the layer"),
    ],
)
def test_damaged_labels_are_found(ids, fault):
    frame = make_scan()
    files = {"sequences/11/predictions/000000.label": np.array(ids, "<u4").tobytes()}
    assert fault in " ".join(TARGET.faults(frame, FACTS, reader(files)))


def test_a_stale_completeness_is_found():
    frame = make_scan()
    files = exported(TARGET, [frame], FACTS)
    other = make_done(make_scan(index=1))
    assert list(TARGET.finish_faults([other], FACTS, reader(files))) == ["completeness.json: tells of other frames"]


def test_the_zip_is_what_the_server_wants():
    frames = [make_scan("11"), make_scan("11", 1, [5]), make_scan("21", 0, [7, 8])]
    files = exported(TARGET, frames, FACTS)
    scans = {"11": {"000000": 3, "000001": 1}, "21": {"000000": 2}}
    assert refusals(zipped(files, frames), scans) == []
    assert refusals(zipped(files, frames[:2]), scans) == [
        "sequences/21/ missing",
        "sequences/21/predictions/ missing",
        "sequences/21/predictions/000000.label: None bytes",
    ]


def test_the_zip_has_the_same_bytes_every_time():
    frames = [make_scan("11"), make_scan("12")]
    files = exported(TARGET, frames, FACTS)
    first = zipped(files, frames)
    assert zipped(dict(reversed(files.items())), frames) == first
    assert b"completeness" not in first


def test_the_zip_can_be_left_out():
    assert TARGET.archive_path(FACTS) == "submission.zip"
    assert TARGET.archive_path(submission_facts("semantickitti", options=(("zip", "false"),))) is None


def test_a_partial_export_says_what_is_missing():
    frames = [make_scan("11"), make_scan("11", 2), make_scan("13"), make_scan("99")]
    files = exported(TARGET, frames, FACTS)
    told = json.loads(files["completeness.json"])
    assert told["complete"] is False
    assert told["parts"]["sequence 11"]["exported"] == 2
    assert told["parts"]["sequence 11"]["expected"] == 921
    assert told["parts"]["sequence 11"]["missing"][:2] == ["000001", "000003"]
    assert told["missing_sequences"] == ["12", "14", "15", "16", "17", "18", "19", "20", "21"]
    assert told["not_official"] == ["99"]
    _, first, *rest = TARGET.notes([make_done(frame) for frame in frames], FACTS)
    assert first == "  sequence 11: 2 of 921 scans, missing: 000001, 000003, 000004, 000005, 000006, …"
    assert rest[-2:] == ["  nothing of 9 sequences: 12, 14, 15, 16, 17, …", "  of no official split: 99"]


def test_a_whole_split_is_complete():
    template = make_done(make_scan("08"))
    frames = [
        replace(template, row=replace(template.row, index=index, frame_id=f"{index:06d}")) for index in range(4071)
    ]
    assert json.loads(TARGET.finish(frames, FACTS)["completeness.json"])["complete"] is True
    assert TARGET.notes(frames, FACTS) == []
    assert TARGET.notes(frames[:-1], FACTS)[1:] == ["  sequence 08: 4070 of 4071 scans, missing: 004070"]


def test_scan_counts_add_up_to_the_published_ones():
    counts = list(SCANS.values())
    assert (sum(counts[:11]), sum(counts[11:])) == (23201, 20351)
