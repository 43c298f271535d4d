"""What could not be used, and why."""

from collections import Counter
from collections.abc import Iterator

from paintpipe.stages.view.page import Details, Heading, Section, Table, Text
from paintpipe.stages.view.report.facts import ReportFacts

_OPEN = 12
"""Rows that are shown without a click."""


def rejects(facts: ReportFacts) -> Iterator[Section]:
    """Rejected files of ingest, and frames that runs rejected."""
    yield Heading("Rejects")
    count = facts.info.counts.get("rejected", 0)
    if not count and not _of_runs(facts):
        yield Text("Every file and every frame could be used.")
        return
    if count:
        yield from _ingest(facts, count)
    if body := _of_runs(facts):
        header = ["layer", "sequence", "frame", "reason"]
        yield from _shown(Table(header, body, "Frames that runs could not use, the first of each run"), len(body))


def _ingest(facts: ReportFacts, count: int) -> Iterator[Section]:
    reasons = Counter(str(row["reason"]) for row in facts.rejected).most_common(3)
    told = "; ".join(f"{number:,} × {reason}" for reason, number in reasons)
    yield Text(f"Ingest rejected {count:,} {'file' if count == 1 else 'files'}: {told}.")
    first = f"the first {len(facts.rejected):,} of {count:,}" if len(facts.rejected) < count else "all"
    body = [[str(row["path"]), str(row["stage"]), str(row["reason"])] for row in facts.rejected]
    caption = f"Rejected files, {first} (catalog/rejected.parquet)"
    yield from _shown(Table(["path", "stage", "reason"], body, caption), len(body))


def _shown(table: Table, rows: int) -> Iterator[Section]:
    yield table if rows <= _OPEN else Details(table.caption, [table])


def _of_runs(facts: ReportFacts) -> list[list[str]]:
    """(layer, sequence, frame, reason), each once however many runs met it."""
    found: dict[tuple[str, ...], None] = {}
    for run in facts.runs:
        layer = str((run.get("settings") or {}).get("layer", ""))
        for row in run.get("rejected") or ():
            found.setdefault((layer, *(str(row.get(key, "")) for key in ("sequence", "frame_id", "reason"))))
    return [list(row) for row in found]
