import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paintpipe.schemas.errors import ConfigError, LabelsError, PointsError
from paintpipe.stages.ingest.formats import count_records, decode_labels, decode_points


def npy(array: np.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@given(
    hnp.arrays(
        np.dtype("<f4"),
        st.tuples(st.integers(1, 30), st.sampled_from([3, 4, 5])),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
def test_points_keep_count_order_and_every_bit(points: np.ndarray) -> None:
    for data, points_format in ((points.tobytes(), "float32"), (npy(points), "npy")):
        decoded = decode_points(data, points.shape[1], "a.bin", points_format)
        assert decoded.dtype == np.float32
        assert decoded.tobytes() == points.tobytes()
        assert decoded.flags.writeable


@pytest.mark.parametrize("missing", [1, 4, 15])
def test_truncated_points_name_the_record(missing: int) -> None:
    with pytest.raises(PointsError, match=r"a\.bin: truncated, .* multiple of 16"):
        decode_points(b"\0" * (160 - missing), 4, "a.bin")


def test_record_of_nuscenes_is_20_bytes() -> None:
    assert count_records(200, 5, "a.bin") == 10
    with pytest.raises(PointsError, match="multiple of 20"):
        count_records(160 + 8, 5, "a.bin")


@pytest.mark.parametrize(("data", "kind"), [(b"", "float32"), (npy(np.empty((0, 4))), "npy"), (b"", "npy")])
def test_an_empty_sweep_is_an_error(data: bytes, kind: str) -> None:
    with pytest.raises(PointsError, match=r"a\.bin: (empty sweep|not a \.npy)"):
        decode_points(data, 4, "a.bin", kind)


@pytest.mark.parametrize(
    "array", [np.zeros((3, 5)), np.zeros(12), np.zeros((3, 4), dtype=complex), np.zeros((3, 4), dtype="U2")]
)
def test_npy_points_of_another_shape_or_kind(array: np.ndarray) -> None:
    with pytest.raises(PointsError, match=r"expected \(N, 4\)"):
        decode_points(npy(array), 4, "a.npy", "npy")


def test_npy_points_of_another_type_and_order_are_converted() -> None:
    array = np.asfortranarray(np.arange(12, dtype=">f8").reshape(3, 4))
    decoded = decode_points(npy(array), 4, "a.npy", "npy")
    assert decoded.dtype == np.float32
    assert np.array_equal(decoded, np.arange(12).reshape(3, 4))
    assert decoded.flags.c_contiguous


def test_npy_with_objects_is_never_unpickled() -> None:
    with pytest.raises(PointsError, match="Python objects"):
        decode_points(npy(np.array([[object()]]), allow_pickle=True), 1, "a.npy", "npy")


def test_npy_that_promises_more_than_it_holds_is_refused_before_allocating() -> None:
    honest = npy(np.zeros((10, 4), dtype="<f4"))
    huge = honest.replace(b"(10, 4), }      ", b"(9999999999, 4)}")
    assert len(huge) == len(honest)
    assert huge != honest
    with pytest.raises(PointsError, match="as its header says"):
        decode_points(huge, 4, "a.npy", "npy")
    with pytest.raises(PointsError, match="as its header says"):
        decode_points(honest[:-1], 4, "a.npy", "npy")


@given(hnp.arrays(np.dtype("<u4"), st.integers(1, 50)))
def test_semantickitti_labels_drop_the_instance(raw: np.ndarray) -> None:
    labels = decode_labels(raw.tobytes(), "semantickitti", len(raw), "a.label")
    assert labels.dtype == np.uint32
    assert labels.tolist() == [int(value) % 65536 for value in raw]


def test_uint8_and_npy_labels() -> None:
    assert decode_labels(bytes([0, 5, 255]), "uint8", 3, "a.bin").tolist() == [0, 5, 255]
    assert decode_labels(npy(np.array([7, 70000])), "npy", 2, "a.npy").tolist() == [7, 70000]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0" * 36, "semantickitti"),
        (b"\0" * 44, "semantickitti"),
        (b"\0" * 41, "semantickitti"),
        (b"", "semantickitti"),
        (b"\0" * 9, "uint8"),
        (npy(np.zeros(9, dtype=int)), "npy"),
        (npy(np.zeros(10)), "npy"),
        (npy(np.full(10, -1)), "npy"),
        (b"no array", "npy"),
    ],
)
def test_labels_that_do_not_fit_their_points(data: bytes, kind: str) -> None:
    with pytest.raises(LabelsError, match=r"^a\.label: "):
        decode_labels(data, kind, 10, "a.label")


def test_points_too_large_for_float32_are_infinite_without_a_word() -> None:
    points = decode_points(npy(np.array([[1e39, -1e300, 0.5, np.nan]])), 4, "a.npy", "npy")
    np.testing.assert_array_equal(points, np.array([[np.inf, -np.inf, 0.5, np.nan]], dtype=np.float32))


def test_label_count_off_by_one_says_both_counts() -> None:
    with pytest.raises(LabelsError, match="9 labels for 10 points"):
        decode_labels(b"\0" * 36, "semantickitti", 10, "a.label")


def test_unknown_formats_are_the_users_mistake() -> None:
    with pytest.raises(ConfigError, match="pcd"):
        decode_points(b"\0" * 16, 4, "a.pcd", "pcd")
    with pytest.raises(ConfigError, match="csv"):
        decode_labels(b"\0", "csv", 1, "a.csv")
