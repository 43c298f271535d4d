"""Options that one target alone knows: `--option NAME=VALUE`."""

from collections.abc import Mapping

from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportSettings

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def flags(settings: ExportSettings, defaults: Mapping[str, bool], target: str) -> dict[str, bool]:
    """The value of each flag that a target knows: the user's, or the default.

    Raises:
        ConfigError: an option that the target does not know, or a value that is neither true nor false.
    """
    found = dict(defaults)
    for name, value in settings.options:
        if name not in defaults:
            expected = f"one of {', '.join(defaults)}" if defaults else "none"
            raise ConfigError(f"{target} has no option {name!r}", expected=expected)
        if value.lower() not in _BOOLEANS:
            raise ConfigError(f"option {name}={value}", expected="true or false")
        found[name] = _BOOLEANS[value.lower()]
    return found
