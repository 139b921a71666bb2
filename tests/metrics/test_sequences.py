"""Accuracy of sequences, of each image once, in one process or several, and of any multiset of images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from retable.metrics.image_results import load, save
from retable.metrics.image_results.resampling import draw
from retable.metrics.sequences import SequenceAccuracy, sequence_metric_info

TRUE = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]])
READ = torch.tensor([[1, 2, 3], [4, 0, 6], [-1, -1, -1], [0, 0, 1]])
CONFIDENCES = torch.tensor([0.9, 0.8, 0.2, 0.5])
EXPECTED = {
    "sequence_accuracy": 0.25,
    "character_accuracy": 7 / 12,
    "wrong_answers": 0.5,
    "no_answers": 0.25,
    "character_accuracy_0": 0.75,
    "character_accuracy_1": 0.5,
    "character_accuracy_2": 0.5,
}


def metric_of(rows: list[int], **options: Any) -> SequenceAccuracy:
    metric = SequenceAccuracy(3, **options)
    metric.reset()
    for row in rows:
        metric.update(torch.tensor([7 + row]), TRUE[[row]], READ[[row]], CONFIDENCES[[row]])
    return metric


def test_parts_of_all_images() -> None:
    metric = metric_of([2, 0, 3, 1, 0])  # one of them twice
    assert {name: float(value) for name, value in metric.compute().items()} == pytest.approx(EXPECTED)
    assert set(EXPECTED) == set(sequence_metric_info(3))
    assert np.isnan(list(metric_of([]).compute().values())).all()


def test_images_without_a_sequence_want_no_answer() -> None:
    metric = SequenceAccuracy(2)
    none, some = torch.tensor([[-1, -1]]), torch.tensor([[3, 4]])
    for index, (true, read) in enumerate([(none, none), (none, some), (some, torch.tensor([[3, -1]])), (some, some)]):
        metric.update(torch.tensor([index]), true, read, torch.ones(1))
    found = metric.compute()
    assert [float(found[name]) for name in ("sequence_accuracy", "wrong_answers", "no_answers")] == [0.5, 0.25, 0.5]


def gathered_with(other: SequenceAccuracy) -> Callable[..., list[Tensor]]:
    """Stands for the gathering of two processes, which want tensors of the same kind from each."""
    theirs = iter([torch.cat(getattr(other, name)) for name in ("indices", "sequences", "read", "confidences")])

    def gather(tensor: Tensor, group: Any = None) -> list[Tensor]:
        found = next(theirs)
        assert (tensor.dtype, tensor.dim(), tensor.shape[1:]) == (found.dtype, found.dim(), found.shape[1:])
        return [tensor, found]

    return gather


@pytest.mark.parametrize("shares", [([0, 2], [3, 1, 0]), ([0, 1, 2, 3], []), ([], [3, 2, 1, 0])])
def test_two_processes_agree_with_one(shares: tuple[list[int], list[int]]) -> None:
    ours, theirs = shares
    options = {"dist_sync_fn": gathered_with(metric_of(theirs)), "distributed_available_fn": lambda: True}
    metric, one = metric_of(ours, **options), metric_of([0, 1, 2, 3])
    assert {name: float(value) for name, value in metric.compute().items()} == pytest.approx(EXPECTED)
    one.compute()
    results, expected = metric.image_results(), one.image_results()
    assert (results.predictions, results.tested) == (expected.predictions, expected.tested)


def test_results_of_images_are_kept_and_drawn_from(tmp_path: Path) -> None:
    metric = metric_of([0, 1, 2, 3])
    metric.compute()
    save(tmp_path / "images.npz", metric.image_results())
    results = load(tmp_path / "images.npz")
    assert results.metrics() == pytest.approx(EXPECTED)
    assert results.images == 4
    assert results.outcomes().tolist() == [[2, 3, 4], [5, 1, 7], [0, 0, 0], [1, 1, 2]]
    counts = draw(4, 20, "key")
    for name, mark in {"sequence_accuracy": [1, 0, 0, 0], "wrong_answers": [0, 1, 0, 1]}.items():
        expected = [np.repeat(mark, drawn).mean() for drawn in counts.T]
        np.testing.assert_allclose(results.resampled(name, counts), expected)
    assert results.resampled("loss", counts) is None


def test_images_with_nothing_to_read_count_as_wrong_answers_only() -> None:
    metric = SequenceAccuracy(2)
    truth = torch.tensor([[1, 2], [3, 4], [-1, -1], [-1, -1]])
    read = torch.tensor([[1, 2], [-1, -1], [-1, -1], [5, 6]])
    metric.update(torch.arange(4), truth, read, torch.ones(4))
    found = metric.compute()
    assert found["sequence_accuracy"] == 0.5
    assert found["no_answers"] == 0.5
    assert found["wrong_answers"] == 0.25
    counts = np.array([[1], [0], [0], [3]], np.uint8)
    assert metric.image_results().resampled("wrong_answers", counts) == 0.75
    assert metric.image_results().resampled("sequence_accuracy", counts) == 1.0
