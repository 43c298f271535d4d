import numpy as np
import torch
from support.benchmarks import load_benchmark

loop = load_benchmark("plain_loop")


def test_a_point_takes_the_scores_of_its_pixel_and_none_from_behind():
    pixels = np.arange(2 * 3 * 2, dtype=np.float32).reshape(2, 3, 2)
    matrix = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]])
    points = np.array([[4.2, 2.2, 2.0, 9.0], [-4.2, -2.2, -2.0, 9.0], [-0.1, 0.0, 1.0, 9.0], [3.0, 0.0, 1.0, 9.0]])
    scores = np.zeros((4, 2), np.float32)
    loop.paint(points, scores, pixels, matrix)
    # (4.2, 2.2) / 2 lies in pixel column 2, row 1; the others are behind, left and right of the image.
    assert scores.tolist() == [[10.0, 11.0], [0, 0], [0, 0], [0, 0]]


def test_soft_max_at_the_images_size_of_what_the_network_is_given():
    seen = []

    class Double(torch.nn.Module):
        def forward(self, batch):
            seen.append(batch)
            return torch.cat([2 * batch[:, :1], batch[:, 1:2], 1e9 + batch[:, 2:]], dim=1)

    net = loop.Net(
        Double(), np.float32([0.5, 0, 0]), np.float32([0.5, 1, 1]), 1 / 255, False, lambda size: (2, 4), False, [0, 1]
    )
    bgr = np.zeros((4, 8, 3), np.uint8)
    bgr[..., 2], bgr[..., 1] = 255, 51
    found = loop.segment(bgr, net)
    # Red (255 / 255 − 0.5) / 0.5 = 1, green 0.2; logits 2 and 0.2, the third channel is left out.
    assert seen[0].shape == (1, 3, 2, 4)
    assert torch.allclose(seen[0][0, :, 0, 0], torch.tensor([1.0, 0.2, 0.0]))
    assert found.shape == (4, 8, 2)
    assert np.allclose(found[..., 0], 1 / (1 + np.exp(-1.8)), atol=1e-6)
