"""The commented specification that `paintpipe ingest custom --write-spec` writes."""

from paintpipe.stages.taxonomies.load import taxonomy_names

_TEMPLATE = """\
# A dataset of your own, for `paintpipe ingest custom THIS_FILE`.
#
# Paths are relative to `root`. In them {sequence} stands for the name of a drive and {frame} for the name of a frame;
# what stands there in the name of a point file is looked for in the other files. Leave {sequence} out everywhere where
# there is one drive only.

name = "my-drives"
root = "."                                   # relative to this file, or absolute

[points]
pattern = "{sequence}/lidar/{frame}.bin"
format = "float32"                           # raw little-endian float32, or "npy": an (N, columns) array
columns = ["x", "y", "z", "intensity"]       # in the file's order, all of them; x, y, z in metres come first

# One table for each camera. The size of an image is read from its file. Points are taken to pixels by
# K · camera_SE3_lidar: u to the right, v down, the depth along the camera's z. Images must be undistorted: lens
# distortion is not supported.
[[cameras]]
name = "front"
image = "{sequence}/front/{frame}.png"       # PNG or JPEG
K = [                                        # in pixels
    [700.0,   0.0, 600.0],
    [  0.0, 700.0, 180.0],
    [  0.0,   0.0,   1.0],
]
camera_SE3_lidar = [                         # from the LiDAR (here x forward, y left, z up) to the camera; metres
    [0.0, -1.0,  0.0,  0.0],
    [0.0,  0.0, -1.0, -0.1],
    [1.0,  0.0,  0.0, -0.3],
    [0.0,  0.0,  0.0,  1.0],
]

# All that follows is optional: take the "# " away from the lines that you need.

# [labels]                                   # a class for each point, in the points' order
# pattern = "{sequence}/labels/{frame}.label"
# format = "semantickitti"                   # uint32, class in the low 16 bits; or "uint8", or "npy"
# taxonomy = "semantickitti19"               # what the classes mean: TAXONOMIES

# [poses]                                    # global_SE3_lidar: one for each point file, sorted by name (2 before 10)
# pattern = "{sequence}/poses.txt"
# format = "kitti"                           # 12 numbers a line, the 3x4 matrix row by row; or "npy": (n, 4, 4)

# [timestamps]                               # one number a line for each point file, sorted by name
# pattern = "{sequence}/times.txt"
# unit = "s"                                 # or "ms", "us", "ns"

# [boxes]                                    # CSV whose first line is: frame,class,x,y,z,l,w,h,yaw
# pattern = "{sequence}/boxes.csv"           # centre and size in metres, yaw in radians about +z from +x, LiDAR frame
# taxonomy = "kitti-det4"
"""


def write_spec() -> str:
    """The text of a specification that explains itself."""
    return _TEMPLATE.replace("TAXONOMIES", ", ".join(taxonomy_names()))
