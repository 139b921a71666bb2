import math

import pytest
import torch
from torch import Tensor, nn

from retable.boxes import box_to_distances
from retable.nn.losses import positive_normaliser
from retable.papers.larsd.assignment import assign
from retable.papers.larsd.loss import LossParts, larsd_loss
from retable.papers.larsd.priors import Priors
from retable.papers.larsd.schema import LarsdConfig

GRIDS = [(8, 8)]
BOXES = torch.tensor([[16.0, 16.0, 14.0, 6.0, 0.3], [12.0, 20.0, 20.0, 8.0, -1.0], [20.0, 12.0, 9.0, 5.0, 0.0]])


def priors() -> Priors:
    made = Priors(["P2"], anchors=True, per_group=1)
    made.fit(torch.tensor([[14.0, 6.0], [8.0, 20.0], [9.0, 5.0]]))
    return made


def loss_of(logits: Tensor, regression: Tensor, boxes: Tensor, images: int, **options: float) -> LossParts:
    image_index = torch.arange(len(boxes)) % images
    assignment = assign(boxes, image_index, torch.zeros(len(boxes), dtype=torch.bool), priors(), GRIDS, images)
    config = LarsdConfig(**{"lambda_d": 1.0, **options})
    labels = torch.zeros(len(boxes), dtype=torch.int64)
    return larsd_loss(logits, regression, assignment, boxes, labels, config)


def test_perfect_outputs_have_almost_no_loss() -> None:
    assignment = assign(BOXES, torch.arange(3), torch.zeros(3, dtype=torch.bool), priors(), GRIDS, 3)
    logits = torch.full((3, 192, 1), -20.0)
    logits.view(-1)[assignment.positive_slots] = 20.0
    truth = box_to_distances(BOXES[assignment.positive_boxes], assignment.positive_points)
    width, height = assignment.positive_priors.unbind(1)
    regression = torch.zeros(3, 192, 5)
    outputs = regression.view(-1, 5)
    outputs[assignment.positive_slots, :4] = (
        (truth[:, :4] / torch.stack([height, width, height, width], dim=1)).clamp(min=1e-6).log()
    )
    outputs[assignment.positive_slots, 4] = torch.logit((truth[:, 4] / (math.pi / 4) + 1) / 2)
    parts = loss_of(logits, regression, BOXES, 3)
    assert parts.positives == len(assignment.positive_slots) > 20
    assert parts.total < 1e-4


def test_parts_are_weighted_and_divided_by_the_positives() -> None:
    torch.manual_seed(0)
    logits, regression = torch.randn(3, 192, 1), torch.randn(3, 192, 5)
    parts = loss_of(logits, regression, BOXES, 3)
    double = loss_of(logits, regression, BOXES, 3, lambda_d=2.0, lambda_a=30.0)
    torch.testing.assert_close(double.distance, 2 * parts.distance)
    torch.testing.assert_close(double.angle, 3 * parts.angle)
    torch.testing.assert_close(double.total, double.classification + double.distance + double.angle)
    twice = [torch.cat([tensor, tensor]) for tensor in (logits, regression)]
    repeated = larsd_loss(
        *twice,
        assign(BOXES.repeat(2, 1), torch.arange(6), torch.zeros(6, dtype=torch.bool), priors(), GRIDS, 6),
        BOXES.repeat(2, 1),
        torch.zeros(6, dtype=torch.int64),
        LarsdConfig(lambda_d=1.0),
    )
    torch.testing.assert_close(repeated.total, parts.total)
    assert repeated.positives == 2 * parts.positives


def test_ignored_slots_have_no_gradient_and_background_has() -> None:
    logits = torch.zeros(3, 192, 1, requires_grad=True)
    assignment = assign(BOXES, torch.arange(3), torch.zeros(3, dtype=torch.bool), priors(), GRIDS, 3)
    loss_of(logits, torch.zeros(3, 192, 5), BOXES, 3).total.backward()
    assert logits.grad is not None
    moved = logits.grad.view(-1) != 0
    assert assignment.ignored.any()
    assert torch.equal(moved, ~assignment.ignored)
    assert (logits.grad.view(-1)[assignment.positive_slots] < 0).all()


def test_labels_choose_the_class() -> None:
    assignment = assign(BOXES[:1], torch.tensor([0]), torch.tensor([False]), priors(), GRIDS, 1)
    logits = torch.zeros(1, 192, 3, requires_grad=True)
    larsd_loss(
        logits, torch.zeros(1, 192, 5), assignment, BOXES[:1], torch.tensor([2]),
        LarsdConfig(num_classes=3),
    ).total.backward()  # fmt: skip
    assert logits.grad is not None
    signs = logits.grad[0, assignment.positive_slots].sign()
    assert torch.equal(signs, torch.tensor([1.0, 1.0, -1.0]).expand_as(signs))


def test_images_without_ships_have_a_loss_and_gradients_for_every_output() -> None:
    logits, regression = (torch.zeros(2, 192, n, requires_grad=True) for n in (1, 5))
    parts = loss_of(logits, regression, torch.zeros(0, 5), 2)
    parts.total.backward()
    assert parts.positives == 0
    assert torch.isfinite(parts.total)
    assert regression.grad is not None
    assert (regression.grad == 0).all()


def test_one_process_divides_by_its_positives_and_at_least_by_one() -> None:
    for count, divisor in ((0, 1.0), (7, 7.0)):
        found, positives = positive_normaliser(count, torch.device("cpu"))
        assert (found.item(), positives.item()) == (divisor, count)


class OneConvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 3 * 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layer(x).permute(0, 2, 3, 1).reshape(len(x), 192, 6)
        return output


def whole_batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 2, 8, 8, generator=generator), BOXES


def model_loss(model: nn.Module, x: Tensor, boxes: Tensor) -> LossParts:
    outputs = model(x)
    return loss_of(outputs[..., :1], outputs[..., 1:], boxes, len(x))


def seeded_model() -> OneConvolution:
    torch.manual_seed(3)
    return OneConvolution()


def test_two_processes_have_the_gradients_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seeded_model()
    x, boxes = whole_batch()
    expected = model_loss(whole, x, boxes)
    expected.total.backward()
    shares = [slice(0, 1), slice(1, 3)]  # uneven in images and in positives
    counts = [model_loss(whole, x[rows], boxes[rows]).positives for rows in shares]
    assert counts[0] != counts[1]
    # each process in turn, with what the other one would add to the sum
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    gradients = []
    for rank, rows in enumerate(shares):
        monkeypatch.setattr(torch.distributed, "all_reduce", lambda t, other=counts[1 - rank]: t.add_(other))
        model = seeded_model()
        parts = model_loss(model, x[rows], boxes[rows])
        parts.total.backward()
        assert parts.positives == expected.positives
        gradients.append([parameter.grad for parameter in model.parameters()])
    for first, second, parameter in zip(*gradients, whole.parameters(), strict=True):
        torch.testing.assert_close((first + second) / 2, parameter.grad)  # what DistributedDataParallel makes of them


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_outputs_give_a_float32_loss(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    logits, regression = torch.randn(3, 192, 1), torch.randn(3, 192, 5)
    full = loss_of(logits, regression, BOXES, 3)
    half = loss_of(logits.to(dtype), regression.to(dtype), BOXES, 3)
    assert half.total.dtype == torch.float32
    torch.testing.assert_close(half.total, full.total, rtol=0.01, atol=0.01)
