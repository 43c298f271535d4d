"""Every error that paintpipe raises on purpose; each is one clear line and knows its exit code.

A message says what is wrong, where (file, frame), what was expected and what to do. Children also inherit the
built-in that a library user would catch.
"""

USER_MISTAKE = 2
"""Exit code of every error: something in the command, the data or the machine has to be changed first."""

PARTIAL_FAILURE = 1
"""Exit code of a run that ended, and that could not use some of its input."""


_LONGEST = 2_000
"""Characters of each part of a message."""


class PaintpipeError(Exception):
    """The root of all errors raised on purpose; `exit_code` is what the command line returns for it."""

    exit_code = USER_MISTAKE

    def __init__(self, what: str, *, where: str = "", expected: str = "", todo: str = "") -> None:
        self.what, self.where, self.expected, self.todo = map(_short, (what, where, expected, todo))
        super().__init__(self.line())

    def line(self) -> str:
        """The whole message as one line that is safe to print: `where: what; expected …; todo`."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        parts = [head, f"expected {self.expected}" if self.expected else "", self.todo]
        return printable(" ".join("; ".join(part for part in parts if part).split()))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.expected, self.todo)


def printable(text: str) -> str:
    """The text with escapes for what could move a terminal's cursor or is no character: names come from datasets."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _short(text: str) -> str:
    """The text without its middle where it is longer than anybody reads: a message may quote what a file holds."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 4 :]}"


def _rebuild(kind: type[PaintpipeError], what: str, where: str, expected: str, todo: str) -> PaintpipeError:
    return kind(what, where=where, expected=expected, todo=todo)


class ConfigError(PaintpipeError, ValueError):
    """A setting, option or specification file that makes no sense."""


class WorkspaceError(PaintpipeError, ValueError):
    """A workspace that lacks what the command needs (no catalog, no such layer)."""


class WorkspaceLockedError(PaintpipeError, RuntimeError):
    """Another run works in this workspace."""


class ChangedInputError(PaintpipeError, RuntimeError):
    """A finished shard was made from other inputs or settings than those asked for now."""


class StoreError(PaintpipeError, OSError):
    """The painted store can't be read or written (disk full, read-only, damaged)."""


class InputFileError(PaintpipeError, ValueError):
    """A file of the dataset is absent, damaged or not what its format promises."""


class PointsError(InputFileError):
    """A point file is truncated, empty or of another record size."""


class LabelsError(InputFileError):
    """A label file does not fit its points."""


class ImageError(InputFileError):
    """An image can't be decoded, or is larger than any camera's."""


class CalibrationError(InputFileError):
    """A calibration lacks a key, or holds numbers that no camera can have."""


class OutsideRootError(InputFileError):
    """A path of the dataset climbs out of the dataset's root."""


class ExportError(PaintpipeError, ValueError):
    """A frame or dataset that an export target has no room for, or an export that does not read back as it should."""


class TaxonomyError(PaintpipeError, LookupError):
    """A taxonomy or mapping that does not exist or does not fit the data."""


class ModelError(PaintpipeError, ValueError):
    """A model card or checkpoint that can't be used."""


class UntrustedModelError(ModelError):
    """A model file that may run code when it is loaded, and that the user has not vouched for."""


class MissingExtraError(PaintpipeError, ImportError):
    """An optional package is not installed; the message says which command installs it."""


class WorkerLostError(PaintpipeError, RuntimeError):
    """Workers died over one task, or the scheduler that they belong to did; what is done stays done."""

    exit_code = PARTIAL_FAILURE


class WorkerMismatchError(PaintpipeError, RuntimeError):
    """A worker has another version of paintpipe, or sees another dataset or store, than the coordinator."""


class ClusterError(PaintpipeError, ConnectionError):
    """No scheduler or no fitting worker to run on."""
