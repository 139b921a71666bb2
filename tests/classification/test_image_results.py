"""What images were taken for is gathered from all processes, each image once."""

from pathlib import Path

import pytest
import torch
from torch import multiprocessing

from retable.classification.image_results import ClassifiedImages
from retable.metrics.image_results.classifications import ClassificationResults

NAMES = ("a", "b", "c")
LABELS = torch.tensor([0, 1, 2, 1, 0])
LOGITS = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
# the rows of each of two processes: uneven, one repeated, one without any
SHARES = (([0, 2, 4], [3, 1]), ([0, 2, 4], [1, 3, 0]), ([4, 3, 2, 1, 0], []))


def results_of(rows: list[int]) -> ClassificationResults:
    metric = ClassifiedImages(NAMES)
    metric.reset()
    for row in rows:
        metric.update(torch.tensor([7 + row]), LABELS[[row]], LOGITS[[row]])
    return metric.results()


def are_all(found: ClassificationResults) -> bool:
    expected = results_of([0, 1, 2, 3, 4])
    same = found.true.tolist() == LABELS.tolist() and found.recognised.tolist() == LOGITS.argmax(dim=1).tolist()
    return same and (found.predictions, found.tested) == (expected.predictions, expected.tested)


def test_images_stand_in_the_order_of_the_dataset_each_once() -> None:
    assert are_all(results_of([3, 1, 4, 2, 0, 3]))
    assert results_of([2]).images == 1
    assert results_of([0, 1]).tested != results_of([0, 2]).tested


def worker(rank: int, folder: str) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    assert all(are_all(results_of(shares[rank])) for shares in SHARES)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    multiprocessing.spawn(worker, (str(tmp_path),), nprocs=2)
