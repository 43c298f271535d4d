"""The head of the report: the dataset, the layers and how much of it they cover."""

from collections.abc import Iterator

from paintpipe.stages.view.chart_parts import count_text
from paintpipe.stages.view.page import Bar, Cards, Cell, Heading, Notice, Section, Table
from paintpipe.stages.view.report.facts import LayerFacts, ReportFacts, Row
from paintpipe.stages.view.report.numbers import format_size, percent, three_digits

VIEW = "points in view"


def overview(facts: ReportFacts) -> Iterator[Section]:
    """Figures of the catalog, and a table of the layers."""
    counts = facts.info.counts
    cards = [
        ("Frames", f"{counts.get('frames', 0):,}", _in(counts.get("sequences", 0), "sequence")),
        ("LiDAR points", count_text(counts.get("points", 0)), f"{counts.get('points', 0):,}"),
        ("Images", f"{counts.get('images', 0):,}", ""),
        ("Labelled boxes", f"{counts.get('boxes', 0):,}", ""),
        ("Painted layers", f"{len(facts.layers):,}", ", ".join(layer.name for layer in facts.layers)),
        ("Rejected files", f"{counts.get('rejected', 0):,}", "by ingest"),
    ]
    yield Cards(cards)
    yield Heading("Layers")
    if not facts.layers:
        yield Notice("Nothing is painted yet: run paintpipe paint.")
        return
    yield _layers(facts)
    if not facts.tables and facts.info.labels_taxonomy is None and facts.info.boxes_taxonomy is None:
        yield Notice("This dataset has no point labels and no boxes to judge by, so no score is shown.")
    elif not facts.tables:
        yield Notice("No layer has been evaluated yet, so no score is shown: run paintpipe evaluate.")
    elif absent := [layer.name for layer in facts.layers if not facts.rows("frames", layer=layer.name)]:
        yield Notice(f"Not evaluated, or by an older version: {', '.join(absent)}. Run paintpipe evaluate again.")


def _layers(facts: ReportFacts) -> Table:
    columns = ["layer", "painted by", "classes", "frames", "on disk"]
    rows: list[list[Cell]] = [
        [layer.name, layer.painter, layer.taxonomy, _frames(layer), format_size(layer.num_bytes)]
        for layer in facts.layers
    ]
    for name, cells in _scores(facts):
        if any(cell != "–" for cell in cells):
            columns.append(name)
            rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    return Table(columns, rows, "The layers of this workspace; shares and scores are those of the last evaluation")


def _scores(facts: ReportFacts) -> Iterator[tuple[str, list[Cell]]]:
    """Columns that an evaluation fills, `–` where it did not."""
    for column, title in (("painted", "points painted"), ("painted_in_view", "in view, painted")):
        yield title, [_share(_coverage(facts, layer.name), column) for layer in facts.layers]
    rules = dict.fromkeys(row["rule"] for row in facts.rows("summary", subset=VIEW))
    for rule in rules:
        rows = [_first(facts, "summary", layer.name, subset=VIEW, rule=rule) for layer in facts.layers]
        yield f"mIoU in view ({rule})", [_score(row, "miou") for row in rows]
    rows = [_first(facts, "summary", layer.name, subset=VIEW) for layer in facts.layers]
    yield "accuracy in view", [_score(row, "accuracy") for row in rows]
    yield "right in boxes", [_in_boxes(facts, layer.name) for layer in facts.layers]


def _first(facts: ReportFacts, table: str, layer: str, **wanted: object) -> Row | None:
    return next(iter(facts.rows(table, layer=layer, **wanted)), None)


def _coverage(facts: ReportFacts, layer: str) -> Row | None:
    """The layer's row of `coverage`; of a dataset with boxes alone, what the frames tell."""
    rows = facts.rows("frames", layer=layer)
    seen = sum(row["num_in_view"] for row in rows)
    painted = sum((row["painted_in_view"] or 0.0) * row["num_in_view"] for row in rows)
    told = {"painted": None, "painted_in_view": painted / seen} if seen else None
    return _first(facts, "coverage", layer) or told


def _share(row: Row | None, column: str) -> Cell:
    return "–" if row is None or row[column] is None else Bar(percent(row[column]), row[column])


def _score(row: Row | None, column: str) -> Cell:
    return "–" if row is None or row[column] is None else Bar(three_digits(row[column]), row[column])


def _in_boxes(facts: ReportFacts, layer: str) -> Cell:
    """Of the points in view inside boxes that some class is right for."""
    rows = [row for row in facts.rows("boxes", layer=layer) if row["classes"]]
    inside = sum(row["points_inside"] for row in rows)
    right = sum(row["right"] for row in rows)
    return Bar(percent(right / inside), right / inside) if inside else "–"


def _frames(layer: LayerFacts) -> str:
    return f"{layer.frames:,}" if layer.frames == layer.all_frames else f"{layer.frames:,} of {layer.all_frames:,}"


def _in(number: int, noun: str) -> str:
    return f"in {number:,} {noun}{'' if number == 1 else 's'}"
