"""Reading a dataset's sequences as a job for executors: names in, catalog rows out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.folders.urls import is_url
from paintpipe.pipeline.roots import open_root
from paintpipe.schemas.catalog import SequenceRows
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.ingest.reader import IngestOptions, Reader, open_dataset


@dataclass(frozen=True)
class Source:
    """What is read: a dataset by name, its root (the specification's path for `custom`), and what of it."""

    dataset: str
    root: str
    options: IngestOptions


def open_source(source: Source) -> tuple[Reader, str]:
    """The dataset's reader, and its root's path or URL.

    Raises:
        ConfigError: an unknown dataset, split or sequence, or a specification that makes no sense.
        InputFileError: the root holds no such dataset.
    """
    if source.dataset == "custom":
        return _open_custom(Path(source.root), source.options)
    root = open_root(source.root)
    return open_dataset(source.dataset, root, source.options), root.url


def _open_custom(spec: Path, options: IngestOptions) -> tuple[Reader, str]:
    from paintpipe.stages.ingest.custom import open_custom, spec_root

    if not spec.is_file():
        todo = "write one with `paintpipe ingest custom --write-spec my.toml`"
        raise ConfigError("no such specification", where=str(spec), todo=todo)
    try:
        text = spec.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "not a text file" if isinstance(error, UnicodeDecodeError) else f"can't be read ({error.strerror})"
        raise ConfigError(what, where=str(spec), expected="a specification in TOML") from error
    named = spec_root(text)
    root = open_root(named if is_url(named) else str(spec.parent / named))
    return open_custom(text, root, options), root.url


class ReadTask(NamedTuple):
    """A sequence, numbered in the catalog's order."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"sequence {self.name}"


@dataclass(frozen=True)
class ReadJob:
    """Reading sequences in workers elsewhere: each opens the dataset itself."""

    source: Source

    def setup(self, emit: Emit) -> Callable[[ReadTask], SequenceRows]:
        """See `Job.setup`."""
        return ReadHere(open_source(self.source)[0]).setup(emit)

    def __reduce__(self) -> tuple[type["ReadJob"], tuple[Source]]:
        root = self.source.root
        place = root if is_url(root) else str(Path(root).absolute())  # workers may have another working folder
        return ReadJob, (replace(self.source, root=place),)


@dataclass(frozen=True)
class ReadHere:
    """Reading sequences in this process, with the dataset that is already open."""

    reader: Reader

    def setup(self, _emit: Emit) -> Callable[[ReadTask], SequenceRows]:
        """See `Job.setup`."""
        return lambda task: self.reader.read(task.name, None)
