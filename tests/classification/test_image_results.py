"""What images were taken for is gathered from all processes, each image once."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from retable.classification.image_results import ClassifiedImages
from retable.metrics.image_results.classifications import ClassificationResults

NAMES = ("a", "b", "c")
LABELS = torch.tensor([0, 1, 2, 1, 0])
LOGITS = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


def metric_of(rows: list[int], **options: Any) -> ClassifiedImages:
    metric = ClassifiedImages(NAMES, **options)
    metric.reset()
    for row in rows:
        metric.update(torch.tensor([7 + row]), LABELS[[row]], LOGITS[[row]])
    return metric


def check(found: ClassificationResults) -> None:
    assert found.true.tolist() == LABELS.tolist()
    assert found.recognised.tolist() == LOGITS.argmax(dim=1).tolist()
    expected = metric_of([0, 1, 2, 3, 4]).results()
    assert (found.predictions, found.tested) == (expected.predictions, expected.tested)


def test_images_stand_in_the_order_of_the_dataset_each_once() -> None:
    check(metric_of([3, 1, 4, 2, 0, 3]).results())
    assert metric_of([2]).results().images == 1
    assert metric_of([0, 1]).results().tested != metric_of([0, 2]).results().tested


def gathered_with(other: ClassifiedImages) -> Callable[..., list[Tensor]]:
    """Stands for the gathering of two processes, which want tensors of the same kind from each."""
    states = iter(list(other.compute().values()))

    def gather(tensor: Tensor, group: Any = None) -> list[Tensor]:
        theirs = next(states)
        assert (tensor.dtype, tensor.dim(), tensor.shape[1:]) == (theirs.dtype, theirs.dim(), theirs.shape[1:])
        return [tensor, theirs]

    return gather


@pytest.mark.parametrize(
    "shares", [([0, 2, 4], [3, 1]), ([0, 2, 4], [1, 3, 0]), ([4, 3, 2, 1, 0], []), ([], [4, 3, 2, 1, 0])]
)
def test_two_processes_agree_with_one(shares: tuple[list[int], list[int]]) -> None:
    ours, theirs = shares
    options = {"dist_sync_fn": gathered_with(metric_of(theirs)), "distributed_available_fn": lambda: True}
    check(metric_of(ours, **options).results())
