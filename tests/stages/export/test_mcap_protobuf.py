from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paintpipe.stages.export.mcap.protobuf import DamagedMessageError, decode, read_types


@cache
def types():
    from foxglove.messages import PointCloud

    return read_types(PointCloud.get_schema().data)


def encoded():
    from foxglove.messages import PackedElementField, PackedElementFieldNumericType, PointCloud, Timestamp

    field = PackedElementField(name="x", offset=300, type=PackedElementFieldNumericType.Float32)
    stamp = Timestamp(sec=5, nsec=7)
    cloud = PointCloud(timestamp=stamp, frame_id="lidar", point_stride=16, fields=[field], data=b"\x00\xff")
    return cloud.encode()


def test_a_message_is_read_by_the_names_of_its_schema():
    assert decode(encoded(), "foxglove.PointCloud", types()) == {
        "timestamp": {"seconds": 5, "nanos": 7},
        "frame_id": "lidar",
        "point_stride": 16,
        "fields": [{"name": "x", "offset": 300, "type": 7}],
        "data": b"\x00\xff",
    }


def test_packed_and_single_numbers_are_read_alike():
    from foxglove.messages import CameraCalibration

    calibration = CameraCalibration(K=[1.5, -2.0], width=3)
    own = read_types(CameraCalibration.get_schema().data)
    found = decode(calibration.encode(), "foxglove.CameraCalibration", own)
    assert (found["K"], found["D"], found["width"]) == ([1.5, -2.0], [], 3)


def test_an_unknown_schema_is_told():
    with pytest.raises(DamagedMessageError, match=r"no foxglove\.Nothing"):
        decode(b"", "foxglove.Nothing", types())


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_message_that_ends_too_early_is_damaged(cut):
    data = encoded()
    with pytest.raises(DamagedMessageError):
        decode(data[:-cut], "foxglove.PointCloud", types())


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_damaged(data):
    with suppress(DamagedMessageError, UnicodeDecodeError):
        assert isinstance(decode(data, "foxglove.PointCloud", types()), dict)
