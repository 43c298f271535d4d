"""An archive read back by the rules of `validate_submission.py`: folders, files, sizes."""

import io
import warnings
import zipfile

import pytest
from support.export_frames import make_done
from support.submissions import make_keyframe, make_scan, reader, submission_facts

from paintpipe.stages.export.submissions.archive import zip_faults
from paintpipe.stages.export.submissions.nuscenes_lidarseg import NuscenesLidarsegTarget
from paintpipe.stages.export.submissions.semantickitti import SemanticKittiTarget

FOLDERS = ["sequences/", "sequences/11/", "sequences/11/predictions/"]
SCAN = "sequences/11/predictions/000000.label"


def zipped(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, size in entries.items():
            archive.writestr(name, bytes(size))
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"sequences/": None}, "no entry for the folder sequences/"),
        ({"sequences/11/": None}, "no entry for the folder sequences/11/"),
        ({"sequences/11/predictions/": None}, "no entry for the folder sequences/11/predictions/"),
        ({SCAN: None}, f"{SCAN} belongs there and is not"),
        ({SCAN: 8}, f"{SCAN} has 8 bytes, expected 12"),
        ({SCAN: 0}, f"{SCAN} has 0 bytes, expected 12"),
        ({"sequences/11/predictions/000001.label": 4}, "sequences/11/predictions/000001.label does not belong there"),
        ({"notes.txt": 4}, "notes.txt does not belong there"),
    ],
)
def test_each_rule_of_the_validator_is_one_line(changed, fault):
    whole = dict.fromkeys(FOLDERS, 0) | {SCAN: 12}
    assert list(zip_faults({SCAN: 12}, zipped(whole))) == []
    broken = {name: size for name, size in (whole | changed).items() if size is not None}
    assert list(zip_faults({SCAN: 12}, zipped(broken))) == [fault]


def test_an_entry_that_is_there_twice_is_told():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, of the very fault
        for name in (*FOLDERS, SCAN, SCAN):
            archive.writestr(name, b"0" * (12 * (name == SCAN)))
    assert list(zip_faults({SCAN: 12}, file)) == ["1 entries are there twice"]


def test_what_is_no_zip_is_no_surprise():
    with pytest.raises(ValueError, match="zip"):
        list(zip_faults({SCAN: 12}, io.BytesIO(b"PK\3\4 and no more")))


def test_what_the_targets_write_has_no_faults():
    scans = (SemanticKittiTarget(), submission_facts("semantickitti"), [make_scan("11"), make_scan("21", 3, [5])])
    keyframes = (NuscenesLidarsegTarget(), submission_facts("nuscenes"), [make_keyframe(), make_keyframe(1, [4])])
    for target, facts, frames in (scans, keyframes):
        files = {path: data for frame in frames for path, data in target.export(frame, facts).files.items()}
        done, buffer = [make_done(frame) for frame in frames], io.BytesIO()
        target.archive(done, facts, reader(files | dict(target.finish(done, facts))), buffer)
        assert list(target.archive_faults(done, facts, buffer)) == []
        assert "does not belong there" in next(target.archive_faults(done[:-1], facts, buffer))
