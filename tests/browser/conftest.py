"""A headless Chromium for the tests of pages. Where there is none they are skipped."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.command import succeed
from support.hostile import hostile_workspace

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",  # WebGL without a GPU
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


@dataclass
class Opened:
    """A page, and all that it said and asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Fails where the page complained, or asked for anything but itself and what it holds."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("file://", "data:", "blob:"))] == []
        assert sum(url.startswith("file://") for url in self.requests) == 1


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: paintpipe[browser]")
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium or Chrome on the PATH")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open a file; keyword arguments are those of a browser context."""
    contexts: list[Any] = []

    def opened(path: Path, **options: Any) -> Opened:
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 700}, **options})
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", lambda said: found.complaints.append(said.text) if said.type == "error" else None)
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.goto(path.as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of a synthetic scene with six cameras and boxes, painted from exact masks and evaluated."""
    from paintpipe.stages.synth.settings import SynthSettings
    from paintpipe.stages.synth.write import write_nuscenes

    folder = tmp_path_factory.mktemp("browser")
    write_nuscenes(folder / "data", SynthSettings(seed=4, keyframes=1, image_size_px=(112, 208), azimuths=360))
    workspace = folder / "workspace"
    succeed("ingest", "nuscenes", folder / "data", "-w", workspace, "-q")
    succeed("paint", "-w", workspace, "--from-masks", folder / "data" / "masks", "-q")
    succeed("evaluate", "-w", workspace, "-q")
    return workspace


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose names try to be markup and script."""
    return hostile_workspace(tmp_path_factory.mktemp("hostile"))
