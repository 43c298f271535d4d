"""The quaternion of a rotation matrix."""

import numpy as np

from paintpipe.schemas.arrays import Float64


def quaternion_from_rotation(rotation: Float64) -> Float64:
    """(4,) unit quaternion w, x, y, z, with w at least 0, of the rotation nearest to a (3, 3) matrix.

    The nearest one, because published matrices are rounded: the eigenvector of the largest eigenvalue of a symmetric
    matrix (Bar-Itzhack, New method for extracting the quaternion from a rotation matrix, J. Guidance 23(6), 2000).
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation.tolist()
    matrix = np.array(
        [
            [xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, yy - xx - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, zz - xx - yy],
        ]
    )
    quaternion: Float64 = np.linalg.eigh(matrix)[1][:, -1]
    return -quaternion if quaternion[0] < 0 else quaternion
