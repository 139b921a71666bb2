import numba
import pytest
import torch
from tests.boxes.reference import random_boxes

from retable.boxes import _kernels, _parallel, rotated_iou


@pytest.mark.parametrize("problem", [RuntimeError("no locator available"), OSError(28, "No space left on device")])
def test_kernels_compile_where_nothing_can_be_cached(monkeypatch, problem):
    njit = numba.njit

    def without_cache(*arguments, cache=False, **options):
        if cache:
            raise problem
        return njit(*arguments, **options)

    monkeypatch.setattr(numba, "njit", without_cache)
    compiled = _kernels.aligned_kernel.__wrapped__()
    table = _kernels.box_table(random_boxes(4, 10, 0))
    iou = torch.zeros(4)
    compiled(table, table, iou.numpy())
    assert iou.tolist() == [1, 1, 1, 1]


def test_bfloat16_boxes_are_understood():
    boxes = torch.tensor([[8.0, 8, 4, 2, 0], [9, 8, 4, 2, 0]], dtype=torch.bfloat16)
    assert rotated_iou(boxes, boxes)[0, 1] == pytest.approx(0.6)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_rows_are_covered_once(threads):
    before = torch.get_num_threads()
    covered = [0] * 23

    def fill(start, step):
        for row in range(start, 23, step):
            covered[row] += 1

    try:
        torch.set_num_threads(threads)
        _parallel.over_rows(fill, 23, cost=1, least_cost=0)
    finally:
        torch.set_num_threads(before)
    assert covered == [1] * 23


def test_errors_of_helper_threads_are_raised():
    before = torch.get_num_threads()

    def fail(start, step):
        raise MemoryError("no scratch")

    try:
        torch.set_num_threads(3)
        with pytest.raises(MemoryError, match="no scratch"):
            _parallel.over_rows(fail, 23, cost=1, least_cost=0)
    finally:
        torch.set_num_threads(before)
