from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from retable.errors import ConfigError
from retable.papers.emoji.schema import Augmentation
from retable.papers.emoji.transforms import augment

NOTHING = Augmentation(
    horizontal_flip=0, rotation_degrees=0, scale=(1.0, 1.0), shift=0, shear=0, wobble=0, thinner=0, thicker=0,
    brightness=0, contrast=0, colour=0, shade=0, invert=0, blur=0, noise=0, erase=0,
)  # fmt: skip


def drawing(count: int = 1, size: int = 32) -> Tensor:
    """A dark L on white."""
    images = torch.ones(count, 3, size, size)
    images[:, :, 6:24, 8:10] = 0.1
    images[:, :, 22:24, 8:20] = 0.1
    return images


def generators(count: int, epoch: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([1, epoch, index]) for index in range(count)]


def test_nothing_changes_nothing() -> None:
    torch.testing.assert_close(augment(drawing(2), NOTHING, generators(2)), drawing(2), atol=1e-5, rtol=0)


def test_a_sample_depends_on_its_own_generator_alone() -> None:
    together = augment(drawing(3), Augmentation(), generators(3))
    alone = augment(drawing(1), Augmentation(), generators(3)[2:])
    assert torch.equal(together[2:], alone)
    assert not torch.equal(together[0], together[1])
    assert torch.equal(together, augment(drawing(3), Augmentation(), generators(3)))
    assert not torch.equal(together, augment(drawing(3), Augmentation(), generators(3, epoch=1)))


def test_results_stay_images() -> None:
    wild = Augmentation(brightness=1, contrast=1, noise=1, colour=1, shade=1, invert=0.5, erase=1, blur=1)
    found = augment(drawing(8), wild, generators(8))
    assert found.shape == (8, 3, 32, 32)
    assert found.dtype == torch.float32
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_a_flip_mirrors() -> None:
    found = augment(drawing(), replace(NOTHING, horizontal_flip=1), generators(1))
    torch.testing.assert_close(found, drawing().flip(3), atol=1e-5, rtol=0)


def test_a_shift_is_in_parts_of_the_side_and_brings_in_paper() -> None:
    images = drawing(200) * 0.8
    found = augment(images, replace(NOTHING, shift=0.25), generators(200))
    tops = torch.tensor([int(mask.any(dim=1).nonzero()[0]) for mask in found[:, 0] < 0.5])
    assert int((tops - 6).abs().max()) in (7, 8)  # a quarter of 32
    assert torch.allclose(found[:, :, -1, -1], torch.tensor(0.8))  # no black border


def test_a_scale_above_one_magnifies() -> None:
    found = augment(drawing(), replace(NOTHING, scale=(1.2, 1.2)), generators(1))
    assert (found < 0.5).sum() > 1.2 * (drawing() < 0.5).sum()


def test_the_pen_gets_thinner_and_thicker() -> None:
    thick = augment(drawing(50), replace(NOTHING, thicker=1), generators(50)).mean(dim=(1, 2, 3))
    thin = augment(drawing(50), replace(NOTHING, thinner=1), generators(50)).mean(dim=(1, 2, 3))
    plain = float(drawing().mean())
    assert float(thick.max()) < plain < float(thin.min())


def test_light_and_colour_leave_white_paper_white() -> None:
    found = augment(drawing(20), replace(NOTHING, contrast=0.5, colour=0.5), generators(20))
    assert torch.allclose(found[:, :, 0], torch.ones(()))
    assert found[:, :, 10, 9].std() > 0.05


def slants(images: Tensor) -> Tensor:
    """By how many degrees the upright stroke of each drawing leans: the axis along which its ink lies."""
    ink = (1 - images[:, 0]).clamp(min=0)
    place = torch.arange(images.shape[-1]) - (images.shape[-1] - 1) / 2
    total = ink.sum(dim=(1, 2))
    x = place - ((ink * place).sum(dim=(1, 2)) / total)[:, None]
    y = place - ((ink * place[:, None]).sum(dim=(1, 2)) / total)[:, None]
    xx, yy = (ink * (x * x)[:, None, :]).sum(dim=(1, 2)), (ink * (y * y)[:, :, None]).sum(dim=(1, 2))
    xy = (ink * x[:, None, :] * y[:, :, None]).sum(dim=(1, 2))
    return torch.rad2deg(torch.atan2(2 * xy, yy - xx) / 2)


def bar(count: int, size: int = 64) -> Tensor:
    """An upright bar."""
    images = torch.ones(count, 3, size, size)
    images[:, :, 12:52, 30:34] = 0
    return images


def test_a_rotation_turns_by_up_to_its_angle_both_ways() -> None:
    turned = augment(bar(200), replace(NOTHING, rotation_degrees=20), generators(200))
    found = slants(turned)
    assert 18 < float(found.max()) < 20.5
    assert -20.5 < float(found.min()) < -18
    assert (1 - turned).sum(dim=(1, 2, 3)) == pytest.approx(float((1 - bar(1)).sum()), rel=0.03)  # and does not scale


def test_a_shear_slants_and_stretches() -> None:
    found = augment(bar(200), replace(NOTHING, shear=0.3), generators(200))
    assert 12 < float(slants(found).abs().max()) < np.rad2deg(np.arctan(0.3)) * 1.2
    lengths = (found[:, 0] < 0.5).any(dim=2).sum(dim=1)
    widths = (1 - found[:, 0]).sum(dim=(1, 2)) / lengths
    assert int(lengths.min()) < 40 - 3
    assert int(lengths.max()) > 40 + 3
    assert np.corrcoef(lengths, widths)[0, 1] < -0.5  # what grows longer grows thinner


def test_a_wobble_bends_straight_lines() -> None:
    found = augment(bar(50), replace(NOTHING, wobble=0.03), generators(50))
    ink = 1 - found[:, 0, 16:48]
    middles = (ink * torch.arange(64)).sum(dim=2) / ink.sum(dim=2)
    rows = torch.arange(32.0)
    residues = [float(np.std(line - np.polyval(np.polyfit(rows, line, 1), rows))) for line in middles.numpy()]
    assert 0.2 < float(np.median(residues)) < 64 * 0.03  # pixels from the straight line through it


def test_a_blur_softens_and_keeps_the_ink() -> None:
    found = augment(bar(50), replace(NOTHING, blur=1), generators(50))
    steepest = found[:, 0].diff(dim=2).abs().amax(dim=(1, 2))
    assert 0.5 <= float(steepest.min()) < 0.55  # at most a quarter, a half and a quarter
    assert bool((steepest < 1).all())
    assert found.mean(dim=(1, 2, 3)) == pytest.approx(float(bar(1).mean()), abs=1e-5)
    some = augment(bar(200), replace(NOTHING, blur=0.3), generators(200))[:, 0].diff(dim=2).abs().amax(dim=(1, 2))
    assert 0.2 < float((some < 0.999).float().mean()) < 0.4  # its probability


def test_noise_has_up_to_its_standard_deviation_and_no_colour() -> None:
    grey = torch.full((100, 3, 32, 32), 0.5)
    found = augment(grey, replace(NOTHING, noise=0.1), generators(100))
    spreads = found[:, 0].std(dim=(1, 2))
    assert float(spreads.min()) < 0.01
    assert 0.09 < float(spreads.max()) < 0.11
    assert found.mean() == pytest.approx(0.5, abs=2e-3)
    assert torch.equal(found[:, 0], found[:, 2])


def test_the_light_falls_off_towards_one_side() -> None:
    found = augment(torch.ones(100, 3, 32, 32), replace(NOTHING, shade=0.4), generators(100))[:, 0]
    assert float(found.max()) <= 1
    assert 0.6 <= float(found.min()) < 0.7
    corners = found[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert set(corners.argmin(dim=1).tolist()) == {0, 1, 2, 3}  # any side
    # a plane: opposite corners have the same sum
    torch.testing.assert_close(corners[:, 0] + corners[:, 3], corners[:, 1] + corners[:, 2], atol=1e-5, rtol=0)


def test_brightness_moves_both_ways() -> None:
    found = augment(torch.full((100, 3, 16, 16), 0.5), replace(NOTHING, brightness=0.2), generators(100))
    means = found.mean(dim=(1, 2, 3))
    assert 0.3 <= float(means.min()) < 0.32
    assert 0.68 < float(means.max()) <= 0.7


def test_inversion_and_erasing_happen() -> None:
    assert torch.allclose(augment(drawing(), replace(NOTHING, invert=1), generators(1)), 1 - drawing(), atol=1e-5)
    erased = augment(drawing(40), replace(NOTHING, erase=1), generators(40))
    assert bool((erased >= drawing(40) - 1e-5).all())
    assert float(erased.mean()) > float(drawing().mean())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": (1.2, 0.8)}, r"data\.augment\.scale=\[1\.2, 0\.8\]"),
        ({"scale": (0.0, 0.8)}, r"scale=\[0\.0, 0\.8\]: each must be above 0"),
        ({"rotation_degrees": 190}, r"rotation_degrees=190: must be from 0 to 180"),
        ({"noise": -0.1}, r"noise=-0\.1: must be from 0 to 1"),
        ({"erase": 2}, r"erase=2"),
    ],
)
def test_senseless_values_are_told(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(NOTHING, **changes)  # type: ignore[arg-type]
