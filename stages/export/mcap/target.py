"""`--to mcap`: a file for each sequence, which Foxglove and rerun open as it is.

Container: MCAP (mcap.dev/spec), written by foxglove-sdk in chunks of zstd, without threads, so that the same frames
give the same bytes under the same version of the SDK. Messages: Foxglove's own protobuf schemas, which the file holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from paintpipe.schemas.errors import ConfigError, MissingExtraError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings
from paintpipe.stages.export.mcap.read_back import sequence_faults
from paintpipe.stages.export.mcap.writer import write_sequence
from paintpipe.stages.export.options import flags

_OPTIONS = {"images": True, "boxes": True, "scores": False}


@dataclass(frozen=True)
class McapTarget:
    """See `SequenceTarget`.

    `--option scores=true` adds a field for each score column; `images=false` and `boxes=false` leave those out.
    """

    name: str = "mcap"
    keyframes_only: bool = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """Every class kept, in the layer's own taxonomy unless the user names one.

        Raises:
            ConfigError: an option that this target does not know, or sweeps, which are frames of their own here.
            MissingExtraError: foxglove-sdk or mcap is not installed.
        """
        flags(settings, _OPTIONS, self.name)
        if settings.sweeps:
            raise ConfigError("mcap holds every frame with its own points", todo="leave out --sweeps")
        _require_extra()
        background = "keep" if settings.background == "auto" else settings.background
        return replace(settings, background=background, sweeps=0)

    def path(self, sequence: str, facts: ExportFacts) -> str:
        """`SEQUENCE.mcap`."""
        return f"{sequence}.mcap"

    def write(
        self, frames: Iterable[ExportFrame], facts: ExportFacts, file: BinaryIO, read_input: Callable[[str], BinaryIO]
    ) -> None:
        """Write a sequence, a frame in memory at a time."""
        write_sequence(frames, facts, file, read_input, flags(facts.settings, _OPTIONS, self.name))

    def faults(self, frames: Iterable[ExportFrame], facts: ExportFacts, file: BinaryIO) -> Iterator[str]:
        """The file read by another reader (the package `mcap`) and by the schemas in it."""
        return sequence_faults(frames, facts, file, flags(facts.settings, _OPTIONS, self.name))


def _require_extra() -> None:
    try:
        import foxglove.messages  # noqa: F401
        import mcap.reader  # noqa: F401
    except ImportError as error:
        what = "MCAP files need foxglove-sdk and mcap"
        raise MissingExtraError(what, todo='pip install "paintpipe[mcap]"') from error
