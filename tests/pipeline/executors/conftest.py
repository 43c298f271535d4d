"""Settings of each executor, small and quick."""

from collections.abc import Callable
from typing import Any

import pytest
from support.dask_cluster import Cluster

from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.executors.contract import Executor
from paintpipe.pipeline.executors.settings import ExecutorSettings

Make = Callable[..., Executor]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    """The executor of a name, with settings; the dask one on the session's cluster."""

    def made(name: str, **settings: Any) -> Executor:
        if name == "dask":
            cluster: Cluster = request.getfixturevalue("cluster")
            settings = {"scheduler_file": str(cluster.file), **settings}
        return executor(ExecutorSettings(name, **{"grace_s": 2.0, **settings}))

    return made
