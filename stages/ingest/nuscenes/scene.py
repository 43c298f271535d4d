"""One scene's files, sorted out: which can be used, which images belong to which sweep, which sweeps went before."""

from dataclasses import dataclass

from paintpipe.schemas.catalog import RejectedRow
from paintpipe.stages.ingest.nuscenes.calibration import LIDAR, Calibration
from paintpipe.stages.ingest.nuscenes.geometry import EgoPoses, ego_poses
from paintpipe.stages.ingest.nuscenes.pairing import ByCamera, Pairing, pair
from paintpipe.stages.ingest.nuscenes.sensor_files import SensorFile, SensorFiles
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
    poses = ego_poses(files.poses, in_scene)
    previous, rejected = _chain(files.links_of_scene(index), table_path)
    images: ByCamera = {}
    sweeps = []
    for file in in_scene:
        calibration = calibrations[file.calibration_token]
        problem = calibration.problem or poses.problem.get(file.pose_token)
        if problem:
            rejected.append(RejectedRow(table_path, "ingest", f"sample_data {file.token}: {problem}"))
        elif calibration.channel == LIDAR:
            sweeps.append(file)
        else:
            images.setdefault(calibration.channel, []).append(file)
    return Scene(sweeps, previous, pair(dict(sorted(images.items())), sweeps), poses, rejected)


def _chain(links: dict[str, str], table_path: str) -> tuple[dict[str, str], list[RejectedRow]]:
    """The token before each sweep; a link to a sweep that is not there is cut, and reported."""
    previous = {token: prev for token, prev in links.items() if prev in links}
    broken = [(token, prev) for token, prev in links.items() if prev and prev not in links]
    reasons = [f"sample_data {token}: previous sweep {dangling('sample_data', prev)}" for token, prev in broken]
    return previous, [RejectedRow(table_path, "ingest", reason) for reason in reasons]
