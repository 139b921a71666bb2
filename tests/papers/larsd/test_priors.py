import pytest
import torch

from retable.boxes import kmeans_anchors
from retable.papers.larsd.priors import Priors

LEVELS = ["P2", "P3", "P4"]


def training_sizes() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    length = 10 * torch.exp(3 * torch.rand(90, generator=generator))
    sizes = torch.stack([length, length / (3 + 4 * torch.rand(90, generator=generator))], dim=1)
    sizes[::2] = sizes[::2].flip(1)
    return sizes


def test_levels_get_the_clusters_of_the_small_the_medium_and_the_large_third() -> None:
    sizes = training_sizes()
    priors = Priors(LEVELS, anchors=True, per_group=5)
    priors.fit(sizes)
    by_area = sizes[torch.argsort(sizes.prod(1))]
    for level in range(3):
        expected = kmeans_anchors(by_area[30 * level : 30 * (level + 1)], 5)
        assert torch.equal(priors.sizes[level], expected)
    assert bool(priors.fitted)


def test_a_single_level_gets_the_anchors_of_all_three_groups() -> None:
    several, single = Priors(LEVELS, True, 5), Priors(["P2"], True, 5)
    several.fit(training_sizes())
    single.fit(training_sizes())
    assert single.sizes.shape == (1, 15, 2)
    assert torch.equal(single.sizes.flatten(0, 1), several.sizes.flatten(0, 1))


def test_without_anchors_there_is_one_square_a_level_that_the_data_does_not_change() -> None:
    priors = Priors(LEVELS, anchors=False, per_group=5)
    expected = torch.tensor([[[16.0, 16.0]], [[32.0, 32.0]], [[64.0, 64.0]]])
    assert torch.equal(priors.sizes, expected)
    priors.fit(training_sizes())
    assert torch.equal(priors.sizes, expected)


def test_without_anchors_every_level_suits_every_box() -> None:
    priors = Priors(LEVELS, anchors=False, per_group=5)
    priors.fit(training_sizes())
    assert torch.equal(priors.quality(training_sizes()), torch.ones(3, 90, 1))


def test_quality_is_the_shape_iou_with_every_anchor() -> None:
    priors = Priors(["P2", "P3"], anchors=True, per_group=2)
    priors.sizes.copy_(torch.tensor([[[10.0, 10.0], [20.0, 5.0]], [[40.0, 10.0], [10.0, 40.0]]]))
    quality = priors.quality(torch.tensor([[20.0, 10.0]]))
    assert quality[:, 0].tolist() == [[0.5, 0.5], [0.5, pytest.approx(100 / 500)]]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_fewer_boxes_than_anchors_still_give_all_anchors(count: int) -> None:
    sizes = training_sizes()[:count]
    for levels in (LEVELS, ["P3"]):
        for anchors in (True, False):
            priors = Priors(levels, anchors, 5)
            priors.fit(sizes)
            assert (priors.sizes > 0).all()
            assert priors.quality(sizes).amax(dim=(0, 2)).min() > 0.5


def test_no_boxes_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one training box"):
        Priors(LEVELS, True, 5).fit(torch.zeros(0, 2))


def test_state_dict_keeps_what_was_fitted() -> None:
    fitted, other = Priors(LEVELS, True, 5), Priors(LEVELS, True, 5)
    fitted.fit(training_sizes())
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other.sizes, fitted.sizes)
    assert bool(other.fitted)
