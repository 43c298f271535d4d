"""Fetching weights from a server on this machine: whole, wrong, cut off, absent."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.segment import make_card

from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.fetch import cache_folder, fetch_weights

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    requests: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.requests.append(self.path)
        if self.path == "/gone.pth":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == "/short.pth" else CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Handler.requests = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def _card(url: str, sha256: str = DIGEST):  # type: ignore[no-untyped-def]
    return make_card(url=url, weights="w.pth", weights_sha256=sha256)


@pytest.mark.parametrize("sha256", [DIGEST, ""])
def test_a_whole_file_comes_once(server: str, tmp_path: Path, sha256: str) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        path = fetch_weights(_card(f"{server}/w.pth", sha256), folder, progress=False)
        assert path == folder / "w.pth"
        assert path.read_bytes() == CONTENT
    assert _Handler.requests == ["/w.pth"]
    assert [item.name for item in folder.iterdir()] == ["w.pth"]


def test_a_file_that_is_not_the_published_one_is_fetched_again(server: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"old")
    assert fetch_weights(_card(f"{server}/w.pth"), tmp_path, progress=False).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "sha256", "message"),
    [
        ("/w.pth", "0" * 64, "not the SHA-256 of the published file; expected 0000"),
        ("/gone.pth", DIGEST, "/gone.pth: the server answered 404"),
        ("/short.pth", DIGEST, "the download failed|not the SHA-256"),
        ("/short.pth", "", "the download failed"),
    ],
)
def test_what_goes_wrong_leaves_nothing_behind(
    server: str, tmp_path: Path, path: str, sha256: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        fetch_weights(_card(server + path, sha256), tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_no_server_no_address_no_room(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the download failed .*check the network"):
        fetch_weights(_card("http://127.0.0.1:9/w.pth"), tmp_path, progress=False)
    with pytest.raises(ModelError, match="names no address"):
        fetch_weights(make_card(weights="w.pth"), tmp_path, progress=False)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match="can't write there"):
        fetch_weights(_card(f"{server}/w.pth"), tmp_path / "file" / "below", progress=False)


def test_a_bar_on_stderr_when_asked(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch_weights(_card(f"{server}/w.pth"), tmp_path / "a", progress=False)
    assert capsys.readouterr() == ("", "")
    fetch_weights(_card(f"{server}/w.pth"), tmp_path / "b", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100%" in err


def test_the_cache_can_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAINTPIPE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path / "weights"
    monkeypatch.delenv("PAINTPIPE_CACHE")
    assert cache_folder().parent.name == "paintpipe"
