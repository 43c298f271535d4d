"""One scene's files, sorted out: which can be used, which images belong to which sweep, which sweeps went before."""

from dataclasses import dataclass

from paintpipe.schemas.catalog import RejectedRow
from paintpipe.stages.ingest.nuscenes.calibration import LIDAR, Calibration
from paintpipe.stages.ingest.nuscenes.geometry import EgoPoses, ego_poses
from paintpipe.stages.ingest.nuscenes.pairing import ByCamera, Pairing, pair
from paintpipe.stages.ingest.nuscenes.sensor_files import UNUSED, SensorFile, SensorFiles
from paintpipe.stages.ingest.nuscenes.tables import dangling

PREVIOUS_SWEEPS = 10


@dataclass(frozen=True)
class Scene:
    """One scene before its files are looked at.

    Attributes:
        sweeps: LIDAR_TOP files that become frames, by time.
        previous: token of every LIDAR_TOP file → the token before it.
        pairing: which images go with a sweep.
        poses: where the car was at each file's time.
        rejected: files that the tables make unusable.
    """

    sweeps: list[SensorFile]
    previous: dict[str, str]
    pairing: Pairing
    poses: EgoPoses
    rejected: list[RejectedRow]

    def previous_sweeps(self, token: str) -> tuple[str, ...]:
        """Up to 10 LIDAR_TOP tokens before a sweep, nearest first."""
        found: list[str] = []
        while len(found) < PREVIOUS_SWEEPS and (token := self.previous.get(token, "")) and token not in found:
            found.append(token)
        return tuple(found)


def sort_out(files: SensorFiles, index: int, calibrations: dict[str, Calibration], table_path: str) -> Scene:
    """Sort out the files of scene number `index`; `table_path` is where sample_data lies, for messages."""
    in_scene = files.of_scene(index)
    poses = ego_poses(files, in_scene)
    lidar = [file for file in in_scene if calibrations[file.calibration_token].channel == LIDAR]
    previous, rejected = _chain(lidar, table_path)
    images: ByCamera = {}
    sweeps = []
    for file in in_scene:
        calibration = calibrations[file.calibration_token]
        problem = calibration.problem or poses.problem.get(file.pose_token, "")
        if file.pose == UNUSED:
            continue
        if problem:
            rejected.append(RejectedRow(table_path, "ingest", f"sample_data {file.token}: {problem}"))
        elif calibration.channel == LIDAR:
            sweeps.append(file)
        else:
            images.setdefault(calibration.channel, []).append(file)
    return Scene(sweeps, previous, pair(dict(sorted(images.items())), sweeps), poses, rejected)


def _chain(lidar: list[SensorFile], table_path: str) -> tuple[dict[str, str], list[RejectedRow]]:
    """The token before each sweep; a link to a sweep that is not there is cut, and reported."""
    tokens = {file.token for file in lidar}
    broken = [file for file in lidar if file.prev and file.prev not in tokens]
    previous = {file.token: file.prev for file in lidar if file.prev in tokens}
    reasons = [f"sample_data {file.token}: previous sweep {dangling('sample_data', file.prev)}" for file in broken]
    return previous, [RejectedRow(table_path, "ingest", reason) for reason in reasons]
