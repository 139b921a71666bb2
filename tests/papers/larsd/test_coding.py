import math

import pytest
import torch

from retable.boxes import box_to_corners, box_to_distances, canonical, rotated_iou_aligned
from retable.papers.larsd.coding import angle, decode, log_distances


def random_boxes(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    r = torch.rand(count, 5, generator=generator)
    parts = [r[:, 0] * 200, r[:, 1] * 200, 10 + r[:, 2] * 90, 3 + r[:, 3] * 20, (r[:, 4] - 0.5) * math.pi]
    return canonical(torch.stack(parts, dim=1))


def encode(boxes: torch.Tensor, points: torch.Tensor, priors: torch.Tensor) -> torch.Tensor:
    """The inverse of `decode`, from the paper's equation 1."""
    form = box_to_distances(boxes, points)
    width, height = priors.unbind(1)
    scale = torch.stack([height, width, height, width], dim=1)
    share = form[:, 4] / (math.pi / 4)
    return torch.cat([(form[:, :4] / scale).log(), torch.logit((share + 1) / 2).unsqueeze(1)], dim=1)


def test_encoded_boxes_decode_to_themselves() -> None:
    boxes = random_boxes(200)
    points = boxes[:, :2] + torch.rand(200, 2) - 0.5  # inside: boxes are at least 3 px thick
    priors = torch.rand(200, 2) * 50 + 5
    decoded = decode(encode(boxes, points, priors), points, priors)
    assert rotated_iou_aligned(decoded, boxes).min() > 0.999


def test_box_is_where_the_distances_say_by_its_corner_points() -> None:
    # at (50, 40), prior 20 wide and 10 high, unturned: 10 up, 40 right, 5 down, 20 left
    outputs = torch.tensor([[0.0, math.log(2), math.log(0.5), 0.0, 0.0]])
    box = decode(outputs, torch.tensor([[50.0, 40.0]]), torch.tensor([[20.0, 10.0]]))
    corners = box_to_corners(box)[0]
    expected = torch.tensor([[30.0, 30.0], [90.0, 30.0], [90.0, 45.0], [30.0, 45.0]])
    torch.testing.assert_close(corners, expected)


def test_positive_angle_turns_clockwise_on_the_screen() -> None:
    outputs = torch.tensor([[0.0, 0.0, 0.0, 0.0, math.log(3.0)]])  # sigmoid 3/4: a quarter turn of 22.5 degrees
    box = decode(outputs, torch.tensor([[0.0, 0.0]]), torch.tensor([[20.0, 10.0]]))
    assert box[0, 4].item() == pytest.approx(math.pi / 8)


def test_angles_cover_both_signs_up_to_45_degrees() -> None:
    outputs = torch.zeros(3, 5)
    outputs[:, 4] = torch.tensor([-30.0, 0.0, 30.0])
    assert angle(outputs).tolist() == pytest.approx([-math.pi / 4, 0.0, math.pi / 4])


def test_distances_scale_with_the_prior_height_and_width() -> None:
    logs = log_distances(torch.zeros(1, 5), torch.tensor([[20.0, 10.0]]))
    torch.testing.assert_close(logs.exp(), torch.tensor([[10.0, 20.0, 10.0, 20.0]]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_large_outputs_stay_finite(dtype: torch.dtype) -> None:
    outputs = torch.full((1, 5), 1000.0, dtype=dtype)
    box = decode(outputs, torch.zeros(1, 2), torch.tensor([[64.0, 64.0]]))
    assert box.dtype == torch.float32
    assert torch.isfinite(box).all()
    assert box[0, 2].item() == pytest.approx(2 * 64 * 64, rel=1e-5)
