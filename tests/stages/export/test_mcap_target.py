import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from mcap.reader import make_reader
from scipy.spatial.transform import Rotation
from support.export_frames import make_export_frame, make_facts
from support.mcap_files import TARGET, faults, metadata, only, picture, points, read, recorded

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.ingest.cameras import kitti_camera

KITTI, NUSCENES = make_facts("kitti"), make_facts("nuscenes")


def with_options(facts, **options):
    return replace(facts, settings=replace(facts.settings, options=tuple(options.items())))


def frames(dataset, count=3, **overrides):
    return [make_export_frame(dataset, index=index, **overrides) for index in range(count)]


def matrix(transform):
    place, turn = transform.translation, transform.rotation
    result = np.eye(4)
    result[:3, :3] = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    result[:3, 3] = place.x, place.y, place.z
    return result


@pytest.mark.parametrize(("dataset", "facts"), [("kitti", KITTI), ("nuscenes", NUSCENES)])
def test_points_come_back_bit_for_bit(dataset, facts):
    given = frames(dataset)
    clouds = only(read(recorded(given, facts)), "/lidar")
    assert len(clouds) == 3
    for frame, cloud in zip(given, clouds, strict=True):
        found = points(cloud)
        for column, name in enumerate(facts.features):
            assert found[name].tobytes() == frame.points[:, column].tobytes()
        assert found["score"].tobytes() == frame.scores.max(axis=1).tobytes()
        for name in ("label", "camera", "flags"):
            assert np.array_equal(found[name], getattr(frame, name))


def test_colours_are_those_of_the_classes_and_grey_where_unpainted():
    (frame,) = frames("kitti", 1)
    (cloud,) = only(read(recorded([frame], KITTI)), "/lidar")
    found = points(cloud)
    rgb = np.stack([found[name] for name in ("red", "green", "blue")], axis=1)
    for label, colour in enumerate(KITTI.taxonomy.colors_rgb):
        assert (rgb[frame.label == label] == colour).all()
    assert (rgb[frame.label == 255] == 60).all()
    assert (found["alpha"] == 255).all()


def test_scores_of_every_class_are_fields_where_asked_for():
    facts = with_options(KITTI, scores="true")
    (frame,) = frames("kitti", 1)
    found = points(only(read(recorded([frame], facts)), "/lidar")[0])
    for channel, name in enumerate(facts.channels):
        assert found[f"score_{name}"].tobytes() == frame.scores[:, channel].tobytes()
    assert faults(recorded([frame], facts), [frame], facts) == []


def test_a_feature_called_as_one_of_ours_gets_a_prefix():
    facts = replace(KITTI, features=("x", "y", "z", "label"))
    given = frames("kitti", 1)
    found = points(only(read(recorded(given, facts)), "/lidar")[0])
    assert found["points_label"].tobytes() == given[0].points[:, 3].tobytes()
    assert np.array_equal(found["label"], given[0].label)


def test_a_feature_called_as_a_score_gets_a_prefix():
    facts = replace(with_options(KITTI, scores="true"), features=("x", "y", "z", f"score_{KITTI.channels[0]}"))
    given = frames("kitti", 1)
    assert faults(recorded(given, facts), given, facts) == []


def test_a_zero_that_lost_its_sign_is_found_and_a_point_that_is_no_number_is_not():
    (frame,) = frames("kitti", 1)
    points_m = frame.points.copy()
    points_m[0], points_m[1] = np.float32(-0.0), np.nan
    given = replace(frame, points=points_m)
    data = recorded([given], KITTI)
    assert faults(data, [given], KITTI) == []
    points_m = points_m.copy()
    points_m[0, 0] = 0.0
    (found,) = faults(data, [replace(frame, points=points_m)], KITTI)
    assert f"1 of {len(points_m)} values of x" in found


def test_records_are_whole_words():
    for facts in (KITTI, NUSCENES, with_options(NUSCENES, scores="true")):
        dataset = facts.info.dataset
        (cloud,) = only(read(recorded(frames(dataset, 1), facts)), "/lidar")
        assert cloud.point_stride % 4 == 0
        assert len(cloud.data) == cloud.point_stride * len(make_export_frame(dataset).points)


def test_pictures_are_the_files_own_bytes_at_their_own_time():
    (frame,) = frames("nuscenes", 1)
    late = replace(frame.images[3], timestamp_us=frame.row.timestamp_us + 12_345)
    frame = replace(frame, images=(*frame.images[:3], late, *frame.images[4:]))
    found = [item for item in read(recorded([frame], NUSCENES)) if item.topic == f"/camera/{late.camera}/image"]
    ((_, time_ns, message),) = found
    assert time_ns == (frame.row.timestamp_us + 12_345) * 1000
    assert message.timestamp.ToNanoseconds() == time_ns
    assert (message.data, message.format, message.frame_id) == (
        picture(late.image_path),
        "jpeg",
        f"camera/{late.camera}",
    )


@pytest.mark.parametrize(("dataset", "facts"), [("kitti", KITTI), ("nuscenes", NUSCENES)])
def test_the_cloud_falls_on_the_pixels_that_it_was_painted_from(dataset, facts):
    """By what the file holds alone: transforms and calibration, against the catalog's composed matrix."""
    (frame,) = frames(dataset, 1)
    if dataset == "kitti":
        (image,) = frame.images
        geometry = kitti_camera(image.P_rect, image.cam_SE3_velo, image.R_rect)
        places = {name: getattr(geometry, name) for name in ("K", "camera_SE3_lidar", "image_from_lidar")}
        frame = replace(frame, images=(replace(image, **places),))
    messages = read(recorded([frame], facts))
    (tf,) = only(messages, "/tf")
    cloud = points(only(messages, "/lidar")[0])
    xyz1 = np.stack([cloud["x"], cloud["y"], cloud["z"], np.ones(len(cloud))], axis=1).astype(np.float64)
    for image in frame.images:
        (place,) = [item for item in tf.transforms if item.child_frame_id == f"camera/{image.camera}"]
        assert place.parent_frame_id == "lidar"
        (calibration,) = only(messages, f"/camera/{image.camera}/calibration")
        P = np.reshape(calibration.P, (3, 4))
        seen, expected = xyz1 @ (P @ np.linalg.inv(matrix(place))).T, xyz1 @ image.image_from_lidar.T
        front = expected[:, 2] > 1
        assert front.any()
        assert np.abs(seen[front, :2] / seen[front, 2:] - expected[front, :2] / expected[front, 2:]).max() < 1e-6
        assert (calibration.width, calibration.height) == (image.width_px, image.height_px)


def test_the_lidar_is_where_the_dataset_says():
    for frame in frames("nuscenes"):
        (tf,) = only(read(recorded([frame], NUSCENES)), "/tf")
        global_, ego = tf.transforms[:2]
        assert (global_.parent_frame_id, global_.child_frame_id) == ("global", "ego")
        assert (ego.parent_frame_id, ego.child_frame_id) == ("ego", "lidar")
        assert np.allclose(matrix(global_) @ matrix(ego), frame.row.global_SE3_lidar, atol=1e-9)


def test_a_pose_without_an_ego_hangs_the_lidar_below_the_world():
    (frame,) = frames("kitti", 1)
    pose = np.eye(4)
    pose[0, 3] = 7.0
    frame = replace(frame, row=replace(frame.row, global_SE3_lidar=pose))
    data = recorded([frame], KITTI)
    (tf,) = only(read(data), "/tf")
    assert [(item.parent_frame_id, item.child_frame_id) for item in tf.transforms] == [
        ("global", "lidar"), ("lidar", "camera/image_2"),
    ]  # fmt: skip
    assert faults(data, [frame], KITTI) == []


def test_boxes_are_cubes_in_the_colour_of_their_class():
    (frame,) = frames("nuscenes", 1)
    (scene,) = only(read(recorded([frame], NUSCENES)), "/boxes")
    assert [item.type for item in scene.deletions] == [1]  # all of the keyframe before
    assert len(scene.entities) == len(frame.boxes)
    car = scene.entities[0]
    (cube,) = car.cubes
    assert (cube.size.x, cube.size.y, cube.size.z) == (4.5, 1.9, 1.6)
    assert (cube.pose.position.x, cube.pose.position.y, cube.pose.position.z) == (4.0, 10.0, -0.9)
    yaw = 2 * np.arctan2(cube.pose.orientation.z, cube.pose.orientation.w)
    assert yaw == pytest.approx(1.4)
    colour = NUSCENES.taxonomy.colors_rgb[NUSCENES.taxonomy.classes.index("car")]
    assert [round(255 * part) for part in (cube.color.r, cube.color.g, cube.color.b)] == list(colour)
    assert {pair.key: pair.value for pair in car.metadata}["class"] == "vehicle.car"
    rack = scene.entities[4].cubes[0].color
    assert rack.r == rack.g == rack.b  # no class of this taxonomy: grey


def test_boxes_without_a_size_are_left_out():
    (frame,) = frames("kitti", 1)
    nothing = replace(frame.boxes[0], class_name="DontCare", size_lwh_m=np.array([-1.0, -1.0, -1.0]))
    frame = replace(frame, boxes=(*frame.boxes, nothing))
    data = recorded([frame], KITTI)
    assert len(only(read(data), "/boxes")[0].entities) == len(frame.boxes) - 1
    assert faults(data, [frame], KITTI) == []


def test_a_dataset_without_boxes_has_no_topic_of_them():
    bare = replace(KITTI, info=replace(KITTI.info, boxes_taxonomy=None))
    given = frames("kitti")
    assert "/boxes" not in {item.topic for item in read(recorded(given, bare))}
    assert faults(recorded(given, bare), given, bare) == []


def test_images_and_boxes_can_be_left_out():
    facts = with_options(NUSCENES, images="false", boxes="no")
    given = frames("nuscenes")
    data = recorded(given, facts)
    assert {item.topic for item in read(data)} == {"/tf", "/lidar"}
    assert faults(data, given, facts) == []


def test_times_are_the_datasets():
    given = frames("nuscenes")
    data = recorded(given, NUSCENES)
    times = [item.time_ns for item in read(data) if item.topic == "/lidar"]
    assert times == [500_000_000, 1_000_000_000, 1_500_000_000]
    assert metadata(data)["paintpipe"]["times"] == "of the dataset"


def test_frames_without_times_come_at_ten_hertz():
    given = [
        replace(frame, row=replace(frame.row, index=place))
        for frame, place in zip(frames("kitti"), (0, 1, 5), strict=True)
    ]
    data = recorded(given, KITTI)
    times = [item.time_ns for item in read(data) if item.topic == "/lidar"]
    assert times == [0, 100_000_000, 500_000_000]
    assert metadata(data)["paintpipe"]["times"].startswith("unknown for 3 frames")


def test_a_time_that_the_format_cannot_hold_is_told():
    (frame,) = frames("nuscenes", 1)
    with pytest.raises(ExportError, match="between 1970 and 2106"):
        recorded([replace(frame, row=replace(frame.row, timestamp_us=-1))], NUSCENES)


def test_the_file_says_what_it_is():
    found = metadata(recorded(frames("kitti", 1), KITTI))
    assert found["paintpipe"]["layer"] == "toy"
    assert found["labels"]["255"] == "unpainted"
    red, green, blue = KITTI.taxonomy.colors_rgb[0]
    assert found["labels"]["0"] == f"{KITTI.taxonomy.classes[0]} #{red:02x}{green:02x}{blue:02x}"
    assert found["cameras"] == {"0": "image_2"}
    assert "made up for tests" in found["card"]["json"]


@pytest.mark.parametrize(("dataset", "facts"), [("kitti", KITTI), ("nuscenes", NUSCENES)])
def test_the_same_frames_give_the_same_bytes(dataset, facts):
    given = frames(dataset)
    data = recorded(given, facts)
    assert recorded(iter(given), facts) == data
    assert faults(data, given, facts) == []


def test_frames_are_written_as_they_come():
    """Chunks reach the file while later frames are still to be made."""
    file, sizes = io.BytesIO(), []

    def coming():
        for frame in frames("kitti", 3, points=50_000):
            sizes.append(len(file.getvalue()))
            yield frame

    from support.mcap_files import open_picture

    TARGET.write(coming(), KITTI, file, open_picture)
    assert sizes[2] - sizes[1] > 500_000


def test_a_full_disk_is_an_error():
    class Full(io.BytesIO):
        def write(self, data):
            if self.tell() > 1000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    from support.mcap_files import open_picture

    with pytest.raises(OSError, match="No space left"):
        TARGET.write(frames("kitti", 3, points=50_000), KITTI, Full(), open_picture)


@pytest.mark.parametrize("data", [b"GIF89a", b""])
def test_an_image_of_another_format_is_told(data):
    with pytest.raises(ExportError, match=r"training/image_2/000000.png: neither JPEG nor PNG.*images=false"):
        recorded(frames("kitti", 1), KITTI, lambda path: io.BytesIO(data))


def test_an_image_that_is_gone_is_told():
    def gone(path):
        raise FileNotFoundError(2, "No such file", path)

    with pytest.raises(ExportError, match=r"image_2/000000.png: can't be read \(No such file"):
        recorded(frames("kitti", 1), KITTI, gone)


def changed(frame, **fields):
    return replace(frame, **fields)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda f: changed(f, label=np.where(f.label == 0, 1, f.label).astype(np.uint8)), "values of label"),
        (lambda f: changed(f, scores=f.scores * np.float32(1.0001)), "values of score"),
        (lambda f: changed(f, points=f.points + np.float32(1e-3)), "values of x"),
        (lambda f: changed(f, camera=f.camera + np.int8(1)), "values of camera"),
        (lambda f: changed(f, flags=f.flags | np.uint8(8)), "values of flags"),
        (lambda f: changed(f, points=f.points[1:], label=f.label[1:], scores=f.scores[1:]), "points, expected"),
        (lambda f: changed(f, boxes=f.boxes[1:]), "5 boxes, expected 4"),
        (
            lambda f: changed(f, boxes=(replace(f.boxes[0], center_m=f.boxes[0].center_m + 0.01), *f.boxes[1:])),
            "box '0",
        ),
        (lambda f: changed(f, boxes=(replace(f.boxes[0], class_name="vehicle.truck"), *f.boxes[1:])), "box '0"),
        (lambda f: changed(f, row=replace(f.row, global_SE3_lidar=np.eye(4))), "global_SE3_lidar is not"),
        (lambda f: changed(f, images=(replace(f.images[0], K=f.images[0].K * 2), *f.images[1:])), "K is not"),
        (lambda f: changed(f, images=(replace(f.images[0], width_px=7), *f.images[1:])), "expected 7x900"),
        (
            lambda f: changed(f, images=(replace(f.images[0], camera_SE3_lidar=np.eye(4)), *f.images[1:])),
            "lidar_SE3_camera",
        ),
        (lambda f: changed(f, images=f.images[1:]), "is expected"),
        (lambda f: changed(f, row=replace(f.row, timestamp_us=1)), "is expected"),
    ],
)
def test_a_file_that_tells_of_something_else_is_found(change, fault):
    (frame,) = frames("nuscenes", 1)
    found = faults(recorded([frame], NUSCENES), [change(frame)], NUSCENES)
    assert fault in " ".join(found)


def test_missing_and_extra_frames_are_found():
    given = frames("nuscenes")
    data = recorded(given, NUSCENES)
    assert "the file ends before its /tf" in faults(data, [*given, make_export_frame("nuscenes", index=3)], NUSCENES)[0]
    assert faults(data, given[:2], NUSCENES) == ["15 messages more than the frames have"]


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.95, 0.999])
def test_a_damaged_file_is_found_and_is_no_crash(place):
    given = frames("nuscenes", 2, points=5000)
    whole = recorded(given, NUSCENES)
    data, at = bytearray(whole), int(len(whole) * place)
    data[at] ^= 0x55
    assert faults(whole[:at], given, NUSCENES)
    found = faults(bytes(data), given, NUSCENES)
    assert found or place > 0.8  # a byte of the summary may matter to no message; the engine's hash finds it


def test_an_index_that_leads_viewers_elsewhere_is_found():
    """No message is damaged, and none is where the summary says."""
    given = frames("nuscenes", 2, points=5000)
    data = recorded(given, NUSCENES)
    summary = make_reader(io.BytesIO(data)).get_summary()
    place = summary.chunk_indexes[0].chunk_start_offset
    was = struct.pack("<QQ", place, summary.chunk_indexes[0].chunk_length)
    assert data.count(was) == 1
    found = faults(data.replace(was, struct.pack("<Q", place + 1) + was[8:]), given, NUSCENES)
    assert found == ["the file can't be read: DamagedMessageError: the summary is not that of the messages"]


def test_what_it_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="no option 'speed'; expected one of images, boxes, scores"):
        TARGET.settle(ExportSettings(options=(("speed", "fast"),)), "kitti", KITTI.features)
    with pytest.raises(ConfigError, match="leave out --sweeps"):
        TARGET.settle(ExportSettings(sweeps=9), "nuscenes", NUSCENES.features)


def test_settled_settings_keep_the_users_choices():
    settled = TARGET.settle(ExportSettings(classes=("Car",), fov_only=True), "kitti", KITTI.features)
    assert (settled.background, settled.sweeps, settled.classes, settled.fov_only) == ("keep", 0, ("Car",), True)
