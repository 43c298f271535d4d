"""What ran: commands, settings, hardware, and where the time went."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from paintpipe.stages.view.page import Bar, Cell, Columns, Details, Heading, Section, Table, Text
from paintpipe.stages.view.report.facts import ReportFacts, Row
from paintpipe.stages.view.report.numbers import format_duration, format_size, rate


def runs(facts: ReportFacts) -> Iterator[Section]:
    """The list of runs, and of the newest run of each layer its stages, settings and machine."""
    yield Heading("Runs")
    if not facts.runs:
        yield Text("No run of this workspace has left a report.")
        return
    shown = len(facts.runs)
    more = f"; the newest {shown:,} of {facts.num_runs:,}" if facts.num_runs > shown else ""
    body = [
        [
            _when(run),
            str(run.get("command", "")),
            str(_of(run, "settings").get("layer", "–")),
            f"{_of(run, 'counts').get('frames', 0):,}",
            format_duration(float(run.get("wall_s", 0))),
            rate(float(run.get("frames_per_s", 0))),
            str(run.get("slowest_stage") or "–"),
            f"{run.get('num_rejected', 0):,}",
            str(run.get("error") or "ended well"),
        ]
        for run in facts.runs
    ]
    header = ["began (UTC)", "command", "layer", "frames", "took", "frames/s", "slowest stage", "rejected", "end"]
    yield Table(header, body, "Runs" + more)
    for run in _newest_of_layers(facts.runs):
        yield Columns([_stages(run), _machine(run)])


def _newest_of_layers(reports: Sequence[Row]) -> list[Row]:
    """The newest run of each layer that painted a frame; reports come newest first."""
    found: dict[str, Row] = {}
    for run in reports:
        if run.get("stages") and _of(run, "counts").get("frames"):
            found.setdefault(str(_of(run, "settings").get("layer", run.get("command"))), run)
    return list(found.values())


def _stages(run: Row) -> Section:
    stages = sorted(_of(run, "stages").items(), key=lambda item: -item[1]["seconds"])
    longest = stages[0][1]["seconds"] or 1.0
    body: list[list[Cell]] = [
        [
            name,
            Bar(format_duration(stage["seconds"]), stage["seconds"] / longest),
            f"{stage['items']:,}",
            rate(stage["items_per_s"]),
        ]
        for name, stage in stages
    ]
    layer = _of(run, "settings").get("layer", run.get("command", ""))
    title = (
        f"Where the time went, {layer}: seconds are summed over workers; {rate(run.get('frames_per_s', 0))} frames/s"
    )
    return Table(["stage", "time", "items", "items/s"], body, title)


def _machine(run: Row) -> Section:
    hardware = dict(_of(run, "hardware"))
    if isinstance(hardware.get("memory_bytes"), int):
        hardware["memory"] = format_size(hardware.pop("memory_bytes"))
    layer = _of(run, "settings").get("layer", run.get("command", ""))
    inner = [
        _facts("Settings", _of(run, "settings")),
        _facts("Machine", hardware),
        _facts("Versions", _of(run, "versions")),
    ]
    return Details(f"Settings, machine and versions, {layer}", inner)


def _facts(title: str, values: Mapping[str, Any]) -> Table:
    return Table(
        ["what", "value"], [[str(key).replace("_", " "), _plain(value)] for key, value in values.items()], title
    )


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items()) or "none"
    return "–" if value in (None, "") else str(value)


def _of(run: Row, key: str) -> Mapping[str, Any]:
    value = run.get(key)
    return value if isinstance(value, Mapping) else {}


def _when(run: Row) -> str:
    return str(run.get("started_at", "")).replace("T", " ").removesuffix("+00:00")
