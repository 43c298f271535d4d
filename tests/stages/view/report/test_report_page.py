import itertools
from html.parser import HTMLParser
from typing import Any

import pytest
from support.catalog import make_info

from paintpipe.stages.view.report.build import report_page
from paintpipe.stages.view.report.facts import FrameFacts, LayerFacts, ReportFacts
from paintpipe.stages.view.report.frames import MEASURES, chosen, frame_words, ranked, spread

NASTY = '"onerror=1 <script>alert(1)</script> =cmd|x'
JPEG = b"\xff\xd8\xff\xe0"


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.levels = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in {"h1", "h2", "h3"}:
            self.levels.append(int(tag[1]))

    def handle_data(self, data):
        self.text += data


def frame_row(**overrides: Any) -> dict[str, Any]:
    return {
        "layer": "a", "sequence": "s", "frame_id": "0", "num_points": 1000, "num_in_view": 500, "painted_in_view": 1.0,
        "labelled_in_view": 400, "miou_present": 0.5, "accuracy": 0.9, "points_in_boxes": 0, "right_in_boxes": None,
        **overrides,
    }  # fmt: skip


def tables(name: str) -> dict[str, list[dict[str, Any]]]:
    """A row or two of each table, everything called `name`."""
    figures = {"miou": 0.5, "accuracy": 0.75, "coverage": 1.0, "num_points": 10}
    view = {"layer": name, "subset": "points in view", "rule": "nuscenes"}
    return {
        "summary": [{**view, **figures, "miou_present": None, "fill": name, "tta": ""}],
        "classes": [{**view, "class": name, "iou": 0.25, "tp": 1, "fp": 1, "fn": 2, "support": 3}],
        "coverage": [{"layer": name, "num_points": 10, "painted": 0.4, "painted_in_view": 0.9}],
        "ranges": [{"layer": name, "from_m": 0.0, "to_m": 10.0, "rule": "nuscenes", **figures}],
        "cameras": [{"layer": name, "camera": name, "rule": "nuscenes", **figures}],
        "edges": [{"layer": name, "depth_edge": "on", "rule": "nuscenes", **figures}],
        "confusion": [{"layer": name, "subset": "points in view", "truth": name, "prediction": name, "count": 3}],
        "boxes": [
            {
                "layer": name, "category": name, "classes": name, "boxes": 1, "points_inside": 8, "right": 6,
                "right_share": 0.75,
            }
        ],
        "frames": [frame_row(layer=name, sequence=name, frame_id=name)],
        "reliability": [
            {"layer": name, "bin": 1, "above": 0.9, "up_to": 1.0, "points": 5, "confidence": 0.95, "accuracy": 0.8}
        ],
        "confidence": [{"layer": name, "num_points": 5, "ece": 0.15}],
    }  # fmt: skip


def make_facts(name: str = "x", **overrides: Any) -> ReportFacts:
    run = {
        "command": name, "started_at": "2026-01-02T03:04:05+00:00", "wall_s": 2.0, "frames_per_s": 4.0, "error": name,
        "settings": {"layer": name, "gpus": [name]}, "counts": {"frames": 8}, "num_rejected": 1,
        "stages": {name: {"seconds": 1.5, "items": 8, "items_per_s": 5.3}}, "slowest_stage": name,
        "hardware": {"cpu": name, "memory_bytes": 8_000_000_000}, "versions": {name: name},
        "rejected": [{"sequence": name, "frame_id": name, "reason": name}],
    }  # fmt: skip
    counts = {"frames": 8, "points": 1_234_567, "images": 8, "boxes": 1, "rejected": 1, "sequences": 1}
    values: dict[str, Any] = {
        "workspace": name,
        "info": make_info(dataset=name, counts=counts),
        "layers": [LayerFacts(name, name, name, 8, 10, 5_000)],
        "tables": tables(name),
        "rejected": [{"path": name, "stage": name, "reason": name}],
        "runs": [run],
        "num_runs": 3,
        "frames_layer": name,
        "best": [FrameFacts(name, name, name, JPEG)],
        "worst": [FrameFacts(name, name, name, None, name)],
        "colors": {name: "#112233"},
    }
    return ReportFacts(**{**values, **overrides})


def test_everything_that_is_known_is_shown():
    page = Reader(report_page(make_facts("thing")))
    for words in ("1.23 M", "0.500", "75.0 %", "error 0.150", "8 of 10", "the newest 1 of 3", "2.0 s", "No picture"):
        assert words in page.text, words
    assert page.levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(page.levels))
    names = {tag for tag, _ in page.tags}
    assert {"nav", "main", "header", "table", "caption", "figcaption", "svg", "details"} <= names
    assert all(attrs.get("aria-label") or "aria-hidden" in attrs for tag, attrs in page.tags if tag == "svg")
    assert all(attrs["scope"] == "col" for tag, attrs in page.tags if tag == "th")


def test_nothing_that_is_told_becomes_markup():
    page = report_page(make_facts(NASTY))
    plain, odd = Reader(report_page(make_facts("x"))), Reader(page)
    assert "<script" not in page
    assert [tag for tag, _ in odd.tags] == [tag for tag, _ in plain.tags]
    assert [sorted(attrs) for _, attrs in odd.tags if _ != "td"] == [
        sorted(attrs) for _, attrs in plain.tags if _ != "td"
    ]
    assert NASTY in odd.text


def test_an_empty_workspace_has_a_report_too():
    facts = ReportFacts("w", make_info())
    page = Reader(report_page(facts))
    assert "Nothing is painted yet" in page.text
    assert "No run of this workspace has left a report." in page.text
    assert "Every file and every frame could be used." in page.text


def test_layers_that_were_not_evaluated_are_named():
    layers = [LayerFacts(name, "oracle", "t", 1, 1, 1) for name in ("x", "later")]
    assert "Not evaluated, or by an older version: later." in Reader(report_page(make_facts(layers=layers))).text


def test_reports_of_runs_that_lack_keys_are_shown_as_far_as_they_go():
    assert "Runs" in Reader(report_page(make_facts(runs=[{}, {"settings": None, "stages": None}]))).text


def test_frames_are_ranked_by_labels_else_by_boxes():
    rows = [frame_row(frame_id=str(number), miou_present=number / 10) for number in range(5)]
    measure, order = ranked(rows)
    assert measure == MEASURES[0]
    assert [row["frame_id"] for row in order] == ["4", "3", "2", "1", "0"]
    boxes = [frame_row(miou_present=None, right_in_boxes=0.5, points_in_boxes=200)]
    measure, order = ranked(boxes)
    assert measure == MEASURES[1]
    assert frame_words(order[0], measure) == "50.0 % of 200 points in boxes are right"
    assert ranked([frame_row(miou_present=None)]) == (None, [])


def test_frames_with_hardly_a_judged_point_are_left_out_where_others_have_more():
    rows = [frame_row(frame_id="full"), frame_row(frame_id="few", labelled_in_view=3, miou_present=1.0)]
    assert [row["frame_id"] for row in ranked(rows)[1]] == ["full"]
    assert [row["frame_id"] for row in ranked(rows[1:])[1]] == ["few"]


def test_frames_that_nothing_has_judged_are_shown_as_such():
    sample = [FrameFacts("s", "7", "", JPEG), FrameFacts(NASTY, "9", "", None, "gone")]
    info = make_info(labels_taxonomy=None, boxes_taxonomy=None)
    page = Reader(report_page(make_facts(info=info, tables={}, best=[], worst=[], sample=sample)))
    assert "no point labels and no boxes to judge by" in page.text
    assert "run paintpipe evaluate" not in page.text
    assert "Frame 1: s / 7" in page.text
    assert f"Frame 2: {NASTY} / 9. No picture: gone" in page.text
    assert "Best" not in page.text
    assert "Frame: x / x: x" in Reader(report_page(make_facts(worst=[]))).text


@pytest.mark.parametrize(
    ("count", "most", "places"),
    [(0, 3, []), (1, 3, [0]), (2, 3, [0, 1]), (16, 3, [0, 7, 15]), (5, 1, [0]), (5, 0, []), (4, 4, [0, 1, 2, 3])],
)
def test_frames_are_spread_over_all(count, most, places):
    assert spread(list(range(count)), most) == places


@pytest.mark.parametrize(
    ("count", "best", "worst"), [(0, 0, 0), (1, 1, 0), (2, 1, 1), (5, 3, 2), (7, 3, 3), (100, 3, 3)]
)
def test_no_frame_is_best_and_worst(count, best, worst):
    rows = list(range(count))
    first, last = chosen(rows, 3)
    assert (len(first), len(last)) == (best, worst)
    assert first == rows[:best]
    assert last == rows[::-1][:worst]
    assert chosen(rows, 0) == ([], [])
