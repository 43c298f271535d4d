"""Running tasks: one contract, one executor a file, and the table of them."""

from importlib import import_module

from paintpipe.pipeline.executors.contract import Executor
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.schemas.errors import ConfigError

EXECUTORS = {
    "serial": "paintpipe.pipeline.executors.serial:SerialExecutor",
    "threads": "paintpipe.pipeline.executors.threads:ThreadsExecutor",
    "processes": "paintpipe.pipeline.executors.processes:ProcessesExecutor",
    "dask": "paintpipe.pipeline.executors.cluster:DaskExecutor",
}
"""Name → `module:class`, loaded when asked for."""


def executor(settings: ExecutorSettings) -> Executor:
    """The executor that these settings name.

    Raises:
        ConfigError: there is none of this name.
    """
    if settings.name not in EXECUTORS:
        raise ConfigError(f"unknown executor {settings.name!r}", expected="one of " + ", ".join(EXECUTORS))
    module, _, attribute = EXECUTORS[settings.name].partition(":")
    made: Executor = getattr(import_module(module), attribute)(settings)
    return made
