"""The report as a page."""

from paintpipe.stages.view.page import html_page
from paintpipe.stages.view.report.facts import ReportFacts
from paintpipe.stages.view.report.frames import frames
from paintpipe.stages.view.report.overview import overview
from paintpipe.stages.view.report.quality import numbers, quality
from paintpipe.stages.view.report.rejects import rejects
from paintpipe.stages.view.report.runs import runs


def report_page(facts: ReportFacts) -> str:
    """One self-contained HTML document."""
    dataset = f"{facts.info.dataset} {facts.info.version}".strip()
    synthetic = ", synthetic" if facts.info.synthetic else ""
    parts = [part for build in (overview, quality, frames, runs, rejects, numbers) for part in build(facts)]
    return html_page(facts.workspace, parts, f"{dataset}{synthetic} · {facts.made}", "paintpipe report")
