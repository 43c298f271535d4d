"""What of a CenterPoint configuration this export decides, as Python that a configuration takes over."""

from collections.abc import Mapping, Sequence
from typing import Any

from paintpipe.stages.export.centerpoint.layout import ROOT, Form, Layout
from paintpipe.stages.export.centerpoint.tables import WIDTH
from paintpipe.stages.export.gt_database import MIN_POINTS
from paintpipe.stages.export.ten_scores import paste_groups

CONFIG_PATH = "paintpipe_centerpoint.py"
_HEAD = '''"""Settings of this export for CenterPoint, to put into a configuration of configs/mvp or configs/nusc.

Link this folder as {root} in CenterPoint's own, and beside what it holds the LIDAR_TOP folders of nuScenes.
Score columns: {channels}.
"""
'''


Database = Mapping[str, Sequence[Mapping[str, Any]]]
"""Class → infos of its objects."""


def config_text(layout: Layout, channels: Sequence[str], databases: Mapping[Form, Database]) -> str:
    """The fragment: paths, number of sweeps, sampler and feature counts, for each form that is exported.

    Keys as in configs/mvp/nusc_centerpoint_voxelnet_0075voxel_fix_bn_z_scale_virtual.py.

    Args:
        layout: names of files.
        channels: names of the ten score columns.
        databases: of each form that is exported.
    """
    lines = [_HEAD.format(root=ROOT.rstrip("/"), channels=", ".join(channels))]
    lines += [f"nsweeps = {layout.num_sweeps}", f'data_root = "{ROOT.rstrip("/")}"']
    lines += [f'{split}_anno = "{ROOT}{layout.infos(split)}"' for split in ("train", "val")]
    lines += [_form_text(layout, form, database) for form, database in databases.items()]
    return "\n".join(lines) + "\n"


def _form_text(layout: Layout, form: Form, database: Database) -> str:
    pasted = paste_groups(database)
    groups = "".join(f"        dict({name}={count}),\n" for name, count in pasted.items())
    least = ", ".join(f"{name}={MIN_POINTS}" for name in pasted)
    reader = (
        'model["reader"] takes virtual=True, and data["train"] and data["val"] take virtual=True'
        if form == "virtual"
        else 'data["train"] and data["val"] take painted=True (CenterPoint before MVP, or a fork that kept it)'
    )
    return f"""
# {form}: {WIDTH[form] + 1} features a point, the time among them; {reader}.
num_point_features_{form} = {WIDTH[form] + 1}
db_sampler_{form} = dict(
    type="GT-AUG",
    enable=False,
    db_info_path="{ROOT}{layout.db_infos(form)}",
    sample_groups=[
{groups}    ],
    db_prep_steps=[
        dict(filter_by_min_num_points=dict({least})),
        dict(filter_by_difficulty=[-1]),
    ],
    global_random_rotation_range_per_object=[0, 0],
    rate=1.0,
)"""
