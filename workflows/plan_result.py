"""What `paintpipe plan` finds out, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from paintpipe.pipeline.faults import format_bytes
from paintpipe.pipeline.progress import format_seconds
from paintpipe.schemas.errors import PARTIAL_FAILURE, USER_MISTAKE
from paintpipe.workflows.counted import counted
from paintpipe.workflows.plan_files import FilesFound
from paintpipe.workflows.plan_timing import Timing

Weight = Literal["stops", "partial", "note"]
EXIT_CODES: dict[Weight, int] = {"stops": USER_MISTAKE, "partial": PARTIAL_FAILURE, "note": 0}


@dataclass(frozen=True)
class Finding:
    """Something that the user should know before a run.

    Attributes:
        weight: `stops` where the run would not start or not get to its end, `partial` where frames would stay
            unpainted, `note` for what is only worth knowing.
        what: in a line.
    """

    weight: Weight
    what: str


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        dataset: its name and version.
        layer: its name, "" where the painter can't be built.
        store: where it writes.
        settings: how it would run, JSON-ready.
        frames: of the selection.
        shards: of the selection.
        frames_to_do: not done yet.
        shards_to_do: not done yet.
        found: what the files of those are like.
        timing: of a few frames, None where none could be timed.
        num_bytes: to be written, None where unknown.
        free_bytes: on the store's disk, None where unknown.
        seconds: to be taken, None where unknown.
        findings: what would fail, gravest first.
    """

    dataset: str
    layer: str
    store: str
    settings: dict[str, Any]
    frames: int
    shards: int
    frames_to_do: int
    shards_to_do: int
    found: FilesFound
    timing: Timing | None
    num_bytes: int | None
    free_bytes: int | None
    seconds: float | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 where paint would run, 1 where it would leave frames unpainted, 2 where it would not start."""
        return max((EXIT_CODES[finding.weight] for finding in self.findings), default=0)

    def text(self) -> str:
        """What the command prints."""
        verdicts = {0: "nothing stands in the way", PARTIAL_FAILURE: "some frames would stay unpainted"}
        verdict = verdicts.get(self.exit_code, "paint would fail")
        words: dict[Weight, str] = {"stops": "FAILS   ", "partial": "PARTIAL ", "note": "note    "}
        findings = [f"{words[finding.weight]} {finding.what}" for finding in self.findings]
        return "\n".join([*self._what(), *self._cost(), *findings, verdict])

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "dataset": self.dataset,
            "layer": self.layer or None,
            "store": self.store,
            "settings": self.settings,
            "frames": {"planned": self.frames, "to_do": self.frames_to_do},
            "shards": {"planned": self.shards, "to_do": self.shards_to_do},
            "files": asdict(self.found),
            "timing": self.timing.to_json() if self.timing else None,
            "bytes": self.num_bytes,
            "free_bytes": self.free_bytes,
            "seconds": self.seconds,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def _what(self) -> list[str]:
        todo, done = counted(self.frames_to_do, "frame"), self.shards - self.shards_to_do
        if not self.shards_to_do:
            return [f"{self.dataset}: nothing is left to paint (layer {self.layer}, {counted(self.shards, 'shard')})"]
        lines = [f"{self.dataset}: {todo} to paint in {counted(self.shards_to_do, 'shard')}"]
        lines[0] += f" (layer {self.layer})" if self.layer else ""
        lines[0] += f"; {done:,} of {counted(self.shards, 'shard')} done already" if done else ""
        lines.append(f"reads:  {counted(self.found.points, 'point')}, {counted(self.found.images, 'image')}")
        told = ("layer", "store")
        shown = [
            f"{name.replace('_', ' ')} {value}" for name, value in self.settings.items() if value and name not in told
        ]
        return [*lines, *(["with:   " + ", ".join(shown)] if shown else []), f"writes: {self.store}"]

    def _cost(self) -> list[str]:
        if self.timing is None or self.num_bytes is None or self.seconds is None:
            return []
        each = sum(self.timing.num_bytes.values())
        free = "" if self.free_bytes is None else f"; {format_bytes(self.free_bytes)} free there, quotas unknown"
        how = f"by {counted(self.timing.frames, 'timed frame')}, slowest: {self.timing.slowest_stage}"
        return [
            f"size:   about {format_bytes(self.num_bytes)} ({format_bytes(round(each))} a frame){free}",
            f"time:   about {format_seconds(self.seconds)} ({self.seconds / self.frames_to_do:.3g} s a frame, {how})",
        ]
