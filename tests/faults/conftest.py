"""The server of faults, and how much of each fault: `PAINTPIPE_FAULTS=full` for `make test-faults`."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.faults.server import Server

FULL = os.environ.get("PAINTPIPE_FAULTS", "") == "full"
Check = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The process in which suites run."""
    server = Server(tmp_path_factory.mktemp("faults"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def counts() -> Callable[[int, int], int]:
    """The first number in CI, the second in a full run."""
    return lambda few, many: many if FULL else few


@pytest.fixture
def check(faults: Server, request: pytest.FixtureRequest) -> Check:
    """Run a suite, note its figures, and fail with the first of the faults that it found."""

    def run(suite: str, **options: Any) -> dict[str, Any]:
        result: dict[str, Any] = faults.run(suite, **options)
        found = result.pop("faults")
        _note(f"{request.node.name} {suite}", {**result, "faults": len(found)})
        assert not found, f"{len(found)} faults in {result}:\n" + "\n".join(found[:10])
        return result

    return run


def _note(name: str, figures: dict[str, Any]) -> None:
    """Figures of all suites, one line each, for docs/reliability.md."""
    folder = Path(__file__).parents[2] / "build" / "faults"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ("full.jsonl" if FULL else "ci.jsonl")).open("a") as file:
        file.write(json.dumps({"fault": name, **figures}, sort_keys=True) + "\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """After a full run: what was tried."""
    if FULL:
        path = Path(__file__).parents[2] / "build" / "faults" / "full.jsonl"
        for figures in map(json.loads, path.read_text().splitlines() if path.exists() else ()):
            tries = figures["tries"] if isinstance(figures["tries"], int) else sum(figures["tries"].values())
            terminalreporter.write_line(f"{figures['fault']}: {tries:,} tries, {figures['faults']} faults")
