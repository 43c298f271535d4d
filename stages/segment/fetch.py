"""Downloading published weights, when the user asks for it."""

import os
from pathlib import Path

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard

_TIMEOUT_S = 30


def cache_folder() -> Path:
    """Where fetched weights are kept: PAINTPIPE_CACHE, or the platform's cache folder for this user."""
    import pooch

    return Path(os.environ.get("PAINTPIPE_CACHE") or pooch.os_cache("paintpipe")) / "weights"


def fetch_weights(card: ModelCard, folder: Path | None = None, progress: bool = True) -> Path:
    """The card's weights, downloaded from its published address unless they are there already or come with paintpipe.

    The file appears under its name only once it is whole and, where the card knows one, has the right SHA-256.

    Args:
        card: names `url`, `weights` and, where known, `weights_sha256`; an `hf` card names a hub model instead.
        folder: where to put them, None for `cache_folder()`.
        progress: show a bar on stderr.

    Raises:
        ModelError: the card has no address, the server or network fails, or the file is not the one that was published.
    """
    if card.architecture == "hf":
        from paintpipe.stages.segment.hf import fetch_snapshot

        return fetch_snapshot(card)
    shipped = Path(__file__).parent / "cards" / card.weights
    if card.weights and shipped.is_file():
        return shipped
    if not card.url or not card.weights:
        raise ModelError("the card names no address to fetch from", where=card.name, todo=card.notes)
    folder = cache_folder() if folder is None else Path(folder)
    try:
        return _retrieve(card, folder, progress)
    except OSError as error:
        raise ModelError(f"can't write there ({error.strerror or error})", where=str(folder)) from error


def _retrieve(card: ModelCard, folder: Path, progress: bool) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    known = f"sha256:{card.weights_sha256}" if card.weights_sha256 else None
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=_TIMEOUT_S)
    try:
        path = pooch.retrieve(card.url, known_hash=known, fname=card.weights, path=folder, downloader=downloader)
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise ModelError(f"the server answered {status}", where=card.url, todo="look for a newer address") from error
    except requests.exceptions.RequestException as error:
        what = f"the download failed ({type(error).__name__})"
        raise ModelError(what, where=card.url, todo="check the network and try again") from error
    except ValueError as error:
        # pooch's word for another checksum; it has deleted what came.
        what = "what came has not the SHA-256 of the published file"
        raise ModelError(what, where=card.url, expected=card.weights_sha256, todo="try again") from error
    return Path(path)
