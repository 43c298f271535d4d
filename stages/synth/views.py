"""Labelled pictures of many streets, seen as both layouts' cameras see them: what a network trains and is tested on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paintpipe.schemas.arrays import UInt8
from paintpipe.stages.synth.populate import build_world
from paintpipe.stages.synth.rigs import Mount, kitti_rig, nuscenes_rig
from paintpipe.stages.synth.sensing import photograph
from paintpipe.stages.synth.settings import Layout, SynthSettings


@dataclass(frozen=True)
class LabelledView:
    """One picture with its exact classes.

    Attributes:
        image_rgb: (H, W, 3) uint8.
        labels: (H, W) uint8 class index of taxonomy `synthetic`.
        layout: whose camera took it.
        seed: of its street.
    """

    image_rgb: UInt8
    labels: UInt8
    layout: Layout
    seed: int


@dataclass(frozen=True)
class ViewPlan:
    """How many pictures of each street, and how far apart.

    Attributes:
        front_views: by the SemanticKITTI layout's camera.
        ring_views: turns of the nuScenes layout's six cameras, one picture each.
        spacing_s: driving time between views.
    """

    front_views: int = 10
    ring_views: int = 2
    spacing_s: float = 3.0


def render_views(seeds: Sequence[int], plan: ViewPlan) -> Iterator[LabelledView]:
    """Pictures of the streets of these seeds. None of them occurs in a written dataset, whose seeds are pairs."""
    settings = SynthSettings()
    front: list[tuple[Layout, Mount]] = [("semantickitti", mount) for mount in kitti_rig(settings)[0].mounts.values()]
    ring: list[tuple[Layout, Mount]] = [("nuscenes", mount) for mount in nuscenes_rig(settings).mounts.values()]
    shots = [(mount, float(view)) for view in range(plan.front_views) for mount in front]
    shots += [(mount, view + 0.5) for view in range(plan.ring_views) for mount in ring]
    duration_s = max(plan.front_views, plan.ring_views + 1) * plan.spacing_s
    for seed in seeds:
        world = build_world([seed], duration_s)
        for number, ((layout, mount), view) in enumerate(shots):
            time_s = view * plan.spacing_s
            world_SE3_camera = world.ego_pose(time_s) @ mount.ego_SE3_camera
            shot = photograph(world, mount.pinhole, world_SE3_camera, time_s, [seed, number])
            yield LabelledView(shot.image_bgr[..., ::-1].copy(), shot.labels, layout, seed)
