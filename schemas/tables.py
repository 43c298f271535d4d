"""The tables that `evaluate` writes, in long form: each row says which layer, points and rule it is about."""

import pyarrow as pa

TABLES_FORMAT = 1
"""Raised when the meaning or the columns of the tables change."""


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    metadata = {"paintpipe.tables_format": str(TABLES_FORMAT)}
    return pa.schema([pa.field(name, kind) for name, kind in columns], metadata=metadata)


_TEXT, _COUNT, _SHARE = pa.string(), pa.int64(), pa.float64()

SUMMARY = _schema(
    ("layer", _TEXT),
    ("subset", _TEXT),
    ("rule", _TEXT),
    ("miou", _SHARE),
    ("miou_present", _SHARE),
    ("accuracy", _SHARE),
    ("rule_accuracy", _SHARE),
    ("frequency_weighted_iou", _SHARE),
    ("coverage", _SHARE),
    ("fill", _TEXT),
    ("tta", _TEXT),
    ("num_points", _COUNT),
)
"""`accuracy` and `coverage` are shares of the labelled points of the subset; `rule_accuracy` is SemanticKITTI's own."""

CLASSES = _schema(
    ("layer", _TEXT),
    ("subset", _TEXT),
    ("rule", _TEXT),
    ("class", _TEXT),
    ("iou", _SHARE),
    ("tp", _COUNT),
    ("fp", _COUNT),
    ("fn", _COUNT),
    ("support", _COUNT),
)

COVERAGE = _schema(
    ("layer", _TEXT),
    ("num_points", _COUNT),
    ("num_in_view", _COUNT),
    ("num_painted", _COUNT),
    ("num_painted_in_view", _COUNT),
    ("in_view", _SHARE),
    ("painted", _SHARE),
    ("painted_in_view", _SHARE),
)
"""Of all points, labelled or not: `in_view` and `painted` are shares of all, `painted_in_view` of those in view."""

RANGES = _schema(
    ("layer", _TEXT),
    ("from_m", _SHARE),
    ("to_m", _SHARE),
    ("rule", _TEXT),
    ("miou", _SHARE),
    ("accuracy", _SHARE),
    ("coverage", _SHARE),
    ("num_points", _COUNT),
)

CAMERAS = _schema(
    ("layer", _TEXT),
    ("camera", _TEXT),
    ("rule", _TEXT),
    ("miou", _SHARE),
    ("accuracy", _SHARE),
    ("num_points", _COUNT),
)

EDGES = _schema(
    ("layer", _TEXT),
    ("depth_edge", _TEXT),
    ("rule", _TEXT),
    ("miou", _SHARE),
    ("accuracy", _SHARE),
    ("num_points", _COUNT),
)

OCCLUSION = _schema(
    ("layer", _TEXT),
    ("occluded", _TEXT),
    ("rule", _TEXT),
    ("miou", _SHARE),
    ("accuracy", _SHARE),
    ("coverage", _SHARE),
    ("num_points", _COUNT),
)

CONFUSION = _schema(
    ("layer", _TEXT),
    ("subset", _TEXT),
    ("truth", _TEXT),
    ("prediction", _TEXT),
    ("count", _COUNT),
)

BOXES = _schema(
    ("layer", _TEXT),
    ("category", _TEXT),
    ("classes", _TEXT),
    ("boxes", _COUNT),
    ("points_inside", _COUNT),
    ("right", _COUNT),
    ("right_share", _SHARE),
    ("painted", _COUNT),
    ("outside_own", _COUNT),
    ("outside_own_share", _SHARE),
    ("outside_all", _COUNT),
    ("outside_all_share", _SHARE),
)
"""Points in view only. `right` lie inside a box of the category and carry one of `classes`; `painted` carry one of
`classes` anywhere, and of these the last four columns tell which lie outside the category's boxes and outside all."""

BOX_LABELS = _schema(
    ("layer", _TEXT),
    ("category", _TEXT),
    ("label", _TEXT),
    ("count", _COUNT),
)
"""What the points in view inside the boxes of a category are painted as."""

FRAMES = _schema(
    ("layer", _TEXT),
    ("sequence", _TEXT),
    ("frame_id", _TEXT),
    ("num_points", _COUNT),
    ("num_in_view", _COUNT),
    ("painted_in_view", _SHARE),
    ("labelled_in_view", _COUNT),
    ("miou_present", _SHARE),
    ("accuracy", _SHARE),
    ("points_in_boxes", _COUNT),
    ("right_in_boxes", _SHARE),
)
"""A row a frame. `miou_present` and `accuracy` are of the labelled points in view, the former over the classes that the
frame has; `points_in_boxes` are those in view inside boxes of a category that some class is right for."""

IMAGES = _schema(
    ("model", _TEXT),
    ("tta", _TEXT),
    ("image", _TEXT),
    ("miou", _SHARE),
    ("accuracy", _SHARE),
    ("num_classes", _COUNT),
    ("num_pixels", _COUNT),
)
"""mIoU over the `num_classes` classes that the image's labels have; the image `all` is one matrix over all images."""

CONFIDENCE = _schema(
    ("layer", _TEXT),
    ("num_points", _COUNT),
    ("accuracy", _SHARE),
    ("confidence", _SHARE),
    ("ece", _SHARE),
    ("classwise_ece", _SHARE),
    ("nll", _SHARE),
)
"""Of the painted points that have a true class: `confidence` is the mean score of their labels, `nll` is in nats."""

RELIABILITY = _schema(
    ("layer", _TEXT),
    ("bin", _COUNT),
    ("above", _SHARE),
    ("up_to", _SHARE),
    ("points", _COUNT),
    ("confidence", _SHARE),
    ("accuracy", _SHARE),
)
"""The same points by the score of their label, which lies above `above` and is at most `up_to`."""

CALIBRATION = _schema(
    ("layer", _TEXT),
    ("selection", _TEXT),
    ("taxonomy", _TEXT),
    ("temperature", _SHARE),
    ("num_points", _COUNT),
    ("accuracy", _SHARE),
    ("nll_before", _SHARE),
    ("nll_after", _SHARE),
    ("ece_before", _SHARE),
    ("ece_after", _SHARE),
    ("classwise_ece_before", _SHARE),
    ("classwise_ece_after", _SHARE),
)
"""What `calibrate` found: `selection` is `fitted`, the frames that the temperature was fitted on, or `held out`."""

CALIBRATION_CHECK = _schema(
    ("camera", _TEXT),
    ("verdict", _TEXT),
    ("roll_deg", _SHARE),
    ("roll_sd_deg", _SHARE),
    ("pitch_deg", _SHARE),
    ("pitch_sd_deg", _SHARE),
    ("yaw_deg", _SHARE),
    ("yaw_sd_deg", _SHARE),
    ("score_at_zero", _SHARE),
    ("score_at_best", _SHARE),
    ("chance", _SHARE),
    ("shift", _SHARE),
    ("shift_sd", _SHARE),
    ("shift_unit", _TEXT),
    ("views", _COUNT),
    ("jumps", _COUNT),
    ("words", _TEXT),
)
"""By how much the projection would have to turn about the camera's axes (z ahead, x right, y down) to fit best, and how
much later than told (in `shift_unit`) the images look taken; `…_sd` are standard deviations, `words` the verdict."""

CALIBRATION_CURVES = _schema(
    ("camera", _TEXT),
    ("quantity", _TEXT),
    ("unit", _TEXT),
    ("offset", _SHARE),
    ("score", _SHARE),
)
"""The best score at each offset that was tried, over all others."""
