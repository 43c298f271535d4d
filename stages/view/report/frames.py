"""The frames that a person should look at: which are best, which are worst."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple, TypeVar

from paintpipe.stages.view.chart_parts import count_text
from paintpipe.stages.view.page import Code, Columns, Heading, Notice, Picture, Section, Table, Text
from paintpipe.stages.view.report.facts import FrameFacts, ReportFacts, Row
from paintpipe.stages.view.report.numbers import percent, three_digits

ENOUGH_POINTS = 100
"""Judged points that a frame needs before its score says something."""
_MOST_LISTED = 10
_SHOWN = "Left the cameras with painted points, right the sweep from above. To turn one of them around:"

T = TypeVar("T")


class Measure(NamedTuple):
    """What frames are ranked by: the column of the table `frames`, that of its points, and its name."""

    column: str
    points: str
    name: str


MEASURES = (
    Measure("miou_present", "labelled_in_view", "mIoU over the classes that the frame has, points in view"),
    Measure("right_in_boxes", "points_in_boxes", "share of right points inside boxes, points in view"),
)


def ranked(rows: Sequence[Row]) -> tuple[Measure | None, list[Row]]:
    """What the frames of a layer can be ranked by, and those that have enough judged points, the best first.

    Where no frame has enough, all that have a score are ranked.
    """
    for measure in MEASURES:
        scored = [row for row in rows if row[measure.column] is not None]
        if scored:
            enough = [row for row in scored if row[measure.points] >= ENOUGH_POINTS] or scored
            return measure, sorted(enough, key=lambda row: -row[measure.column])
    return None, []


def chosen(rows: Sequence[Row], most: int) -> tuple[list[Row], list[Row]]:
    """The best and the worst frames of a ranking, at most `most` of each and none twice; the worst comes first."""
    best = list(rows[: min(most, (len(rows) + 1) // 2)])
    return best, list(rows[len(best) :][::-1][:most])


def spread(places: Sequence[T], most: int) -> list[T]:
    """At most `most` of the places, the first and the last among them where there are two, at equal steps."""
    count = min(most, len(places))
    return [places[number * (len(places) - 1) // max(count - 1, 1)] for number in range(count)]


def frame_words(row: Row, measure: Measure) -> str:
    """A frame's score in words."""
    value = row[measure.column]
    if measure.column == "miou_present":
        return f"mIoU {three_digits(value)}, accuracy {three_digits(row['accuracy'])}"
    return f"{percent(value)} of {count_text(row[measure.points])} points in boxes are right"


def frames(facts: ReportFacts) -> Iterator[Section]:
    """Pictures of the best and the worst frames, and a list of the worst; where nothing ranks them, of some."""
    if not facts.best:
        yield from _unranked(facts)
        return
    measure, rows = ranked(facts.rows("frames", layer=facts.frames_layer))
    assert measure is not None
    yield Heading("Frames")
    yield Text(
        f"Ranked by {measure.name}, layer {facts.frames_layer}; frames with fewer than {ENOUGH_POINTS} judged points "
        f"are left out where others have more. {_SHOWN}"
    )
    yield Code(f"paintpipe view --3d --layer {facts.frames_layer} --frame SEQUENCE/ID")
    best = _pictures("Best" if facts.worst else "Frame", facts.best)
    pairs = zip_longest(best, _pictures("Worst", facts.worst))
    yield Columns([section for pair in pairs for section in pair if section is not None])
    if len(rows) > len(facts.best) + len(facts.worst):
        yield _list(rows[::-1][:_MOST_LISTED], measure)


def _unranked(facts: ReportFacts) -> Iterator[Section]:
    if not facts.sample:
        return
    yield Heading("Frames")
    yield Text(f"Some frames of layer {facts.frames_layer}, which nothing has judged. {_SHOWN}")
    yield Code(f"paintpipe view --3d --layer {facts.frames_layer} --frame SEQUENCE/ID")
    yield Columns(list(_pictures("Frame", facts.sample)))


def _pictures(title: str, group: Sequence[FrameFacts]) -> Iterator[Section]:
    for number, frame in enumerate(group, 1):
        name = f"{frame.sequence} / {frame.frame_id}"
        head = f"{title} {number}" if len(group) > 1 else title
        caption = ": ".join(filter(None, (head, name, frame.score)))
        if frame.picture is None:
            yield Notice(f"{caption}. No picture: {frame.problem}")
        else:
            alt = f"Painted points of frame {name} on its images, and from above"
            yield Picture(frame.picture, caption, alt)


def _list(rows: Sequence[Row], measure: Measure) -> Table:
    body = [
        [
            row["sequence"],
            row["frame_id"],
            three_digits(row[measure.column]),
            count_text(row[measure.points]),
            percent(row["painted_in_view"]),
        ]
        for row in rows
    ]
    header = ["sequence", "frame", "score", "judged points", "in view, painted"]
    return Table(header, body, "The frames with the lowest scores")
