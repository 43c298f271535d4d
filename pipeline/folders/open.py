"""One function that opens a folder by its path or URL."""

from pathlib import Path
from typing import TYPE_CHECKING

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.folders.urls import is_url, parse_url

if TYPE_CHECKING:
    from paintpipe.pipeline.folders.objects import ObjectFolder

Place = str | Path | Folder
"""A folder, or the path or URL of one."""


def open_folder(place: Place) -> Folder:
    """The folder at a path or URL; a folder is itself.

    Raises:
        ConfigError: a URL that can't be opened.
        MissingExtraError: the URL of an object store, and obstore is not installed.
    """
    if isinstance(place, str) and is_url(place):
        address = parse_url(place)
        return LocalFolder(address.path) if address.scheme == "file" else _objects(place)
    return LocalFolder(place) if isinstance(place, str | Path) else place


def _objects(url: str) -> "ObjectFolder":
    from paintpipe.pipeline.folders.connect import client

    client(parse_url(url))  # says what to install, before a module is imported that needs it
    from paintpipe.pipeline.folders.objects import ObjectFolder

    return ObjectFolder(url)
