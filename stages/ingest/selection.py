"""Which sequences of a dataset the user asked for."""

from collections.abc import Mapping, Sequence

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.ingest.reader import IngestOptions


def select_sequences(
    present: Sequence[str], options: IngestOptions, split_of: Mapping[str, str] | None = None
) -> list[str]:
    """Sorted names of the sequences to read.

    Args:
        present: sequences that are there.
        options: what the user asked for.
        split_of: official split of each sequence, None where a sequence does not decide the split.

    Raises:
        ConfigError: a sequence or split was asked for that is not there.
    """
    unknown = sorted(set(options.sequences) - set(present))
    if unknown:
        raise ConfigError(f"no sequence {', '.join(unknown)}", expected="some of " + _listed(present))
    names = sorted(set(options.sequences) or set(present))
    if options.split is None or split_of is None:
        return names
    check_split(options.split, set(split_of.values()))
    kept = [name for name in names if split_of.get(name) == options.split]
    if not kept:
        raise ConfigError(f"no sequence of split {options.split!r} is here", expected="some of " + _listed(names))
    return kept


def check_split(split: str | None, known: set[str]) -> None:
    """Check that a split exists; raises ConfigError where it does not."""
    if split is not None and split not in known:
        expected = "one of " + ", ".join(sorted(known)) if known else "no --split, since this dataset has none"
        raise ConfigError(f"unknown split {split!r}", expected=expected)


def _listed(names: Sequence[str], most: int = 30) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all)"
