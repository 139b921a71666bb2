import math

import pytest
import torch

from retable.boxes import kmeans_anchors, shape_iou

SHAPES = torch.tensor([[10.0, 4.0], [4.0, 10.0], [60.0, 12.0], [12.0, 60.0], [200.0, 30.0]])


def sizes_around(shapes, each, seed):
    generator = torch.Generator().manual_seed(seed)
    spread = torch.exp(0.05 * torch.randn(len(shapes) * each, 2, generator=generator))
    return shapes.repeat_interleave(each, dim=0) * spread


def test_separate_groups_are_found():
    anchors = kmeans_anchors(sizes_around(SHAPES, 100, 0), 5)
    by_area = SHAPES[torch.argsort(SHAPES.prod(dim=1), stable=True)]
    assert anchors.shape == (5, 2)
    assert (anchors.prod(dim=1).diff() >= 0).all()
    assert shape_iou(by_area, anchors).max(dim=1).values.min() > 0.95


def test_result_depends_on_the_seed_and_the_set_alone():
    sizes = torch.rand(400, 2, generator=torch.Generator().manual_seed(1)) * 100 + 5
    shuffled = sizes[torch.randperm(400, generator=torch.Generator().manual_seed(2))]
    torch.manual_seed(3)
    first = kmeans_anchors(sizes, 5, seed=7)
    torch.manual_seed(4)
    assert torch.equal(kmeans_anchors(shuffled, 5, seed=7), first)


def test_clusters_beat_the_sizes_that_they_start_from():
    sizes = torch.rand(500, 2, generator=torch.Generator().manual_seed(5)) * 100 + 5
    quality = shape_iou(sizes, kmeans_anchors(sizes, 5)).max(dim=1).values.mean()
    for seed in range(20):
        drawn = sizes[torch.randperm(500, generator=torch.Generator().manual_seed(seed))[:5]]
        assert quality > shape_iou(sizes, drawn).max(dim=1).values.mean()


def test_one_cluster_of_one_size():
    assert kmeans_anchors(torch.tensor([[30.0, 8.0]]), 1).tolist() == [[30.0, 8.0]]


def test_fewer_distinct_sizes_than_clusters_are_repeated_by_frequency():
    sizes = torch.tensor([[10.0, 2.0]] + [[40.0, 9.0]] * 5)
    assert kmeans_anchors(sizes, 2).tolist() == [[10.0, 2.0], [40.0, 9.0]]
    assert kmeans_anchors(sizes, 3).tolist() == [[10.0, 2.0], [40.0, 9.0], [40.0, 9.0]]
    assert kmeans_anchors(sizes, 5).tolist() == [[10.0, 2.0]] * 2 + [[40.0, 9.0]] * 3


def test_extremely_different_sizes():
    sizes = torch.tensor([[1.0, 1.0], [1.0, 1.1], [1e4, 1e4], [1e4, 1.0], [1.0, 1e4], [0.01, 0.01]])
    anchors = kmeans_anchors(sizes, 4)
    assert torch.isfinite(anchors).all()
    assert (anchors > 0).all()


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"\(4, 3\)"):
        kmeans_anchors(torch.ones(4, 3), 2)
    with pytest.raises(ValueError, match="at least one size"):
        kmeans_anchors(torch.ones(0, 2), 2)
    with pytest.raises(ValueError, match="clusters"):
        kmeans_anchors(torch.ones(4, 2), 0)
    for value in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive and finite"):
            kmeans_anchors(torch.tensor([[1.0, value]]), 1)
