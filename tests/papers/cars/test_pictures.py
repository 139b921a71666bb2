"""Grids, walks between latents and nearest neighbours, against what a pencil says."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from retable.errors import StorageError
from retable.papers.cars.pictures import (
    interpolation,
    nearest_neighbours,
    neighbours_picture,
    sample_grid,
    write_png,
)


def _images(count: int, seed: int = 0, side: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, side, side), generator=torch.Generator().manual_seed(seed)).byte()


def test_a_grid_shows_every_image_in_its_place() -> None:
    images = _images(5)
    grid = sample_grid(images, columns=3)
    assert grid.shape == (2 * 10 + 2, 3 * 10 + 2, 3)
    for index, image in enumerate(images):
        top, left = 2 + index // 3 * 10, 2 + index % 3 * 10
        np.testing.assert_array_equal(grid[top : top + 8, left : left + 8], image.permute(1, 2, 0))
    np.testing.assert_array_equal(sample_grid(images.float() / 255, columns=3), grid)


def test_a_png_is_what_was_drawn_and_nothing_else_is_left(tmp_path: Path) -> None:
    grid = sample_grid(_images(4), 2)
    write_png(tmp_path / "plots" / "grid.png", grid)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "plots" / "grid.png"))[..., ::-1], grid)
    assert len(list((tmp_path / "plots").iterdir())) == 1


def test_an_unwritable_png_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match=r"cannot write .*grid\.png"):
        write_png(tmp_path / "plots" / "grid.png", sample_grid(_images(1), 1))


def test_a_straight_walk_has_equal_steps() -> None:
    start, end = torch.rand(2, 5), torch.rand(2, 5)
    walk = interpolation(start, end, 5, spherical=False)
    assert walk.shape == (5, 2, 5)
    torch.testing.assert_close(walk[2], (start + end) / 2)
    torch.testing.assert_close(walk.diff(dim=0), ((end - start) / 4).expand(4, 2, 5))


def test_a_walk_on_the_circle_keeps_the_length_and_turns_evenly() -> None:
    start = torch.tensor([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])
    end = torch.tensor([[0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
    walk = interpolation(start, end, 4, spherical=True)
    torch.testing.assert_close(walk.norm(dim=-1), torch.tensor([[2.0, 3.0]]).expand(4, 2))
    torch.testing.assert_close(walk[1, 0], torch.tensor([3**0.5, 1.0, 0.0]))  # 30 of 90 degrees
    assert torch.equal(walk[0], start)
    assert torch.equal(walk[-1], end)


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_a_walk_without_a_circle_is_straight(factor: float) -> None:
    start = torch.tensor([1.0, 2.0])
    walk = interpolation(start, factor * start, 3, spherical=True)
    torch.testing.assert_close(walk, interpolation(start, factor * start, 3, spherical=False))
    assert torch.isfinite(walk).all()


def test_a_walk_needs_two_ends() -> None:
    with pytest.raises(ValueError, match="at least its two ends"):
        interpolation(torch.zeros(3), torch.ones(3), 1, spherical=False)


def test_neighbours_are_those_of_a_full_search() -> None:
    samples, real = _images(4, seed=1), _images(1500, seed=2)  # more than are compared at a time
    found = nearest_neighbours(samples, real, count=3)
    differences = (samples[:, None].double() - real[None].double()) / 255
    expected = differences.square().mean(dim=(2, 3, 4)).sqrt().sort(dim=1)
    torch.testing.assert_close(found.distances, expected.values[:, :3].float())
    assert torch.equal(found.indices, expected.indices[:, :3])


def test_a_repeated_image_is_found_at_distance_zero() -> None:
    real = _images(50)
    found = nearest_neighbours(real[[7, 30]].float() / 255, real, count=2)
    assert found.indices[:, 0].tolist() == [7, 30]
    assert found.distances[:, 0].tolist() == [0, 0]
    assert (found.distances[:, 1] > 0.1).all()


def test_a_real_image_is_not_its_own_neighbour() -> None:
    real = _images(40)
    real[5] = real[9]  # a copy in the set is a neighbour all the same
    known = torch.cat([real, real.flip(3)])
    chosen = torch.tensor([3, 9])
    found = nearest_neighbours(real[chosen], known, count=79, excluded=torch.stack([chosen, chosen + 40], dim=1))
    assert found.indices.shape == (2, 78)
    assert found.indices[1, 0] == 5
    assert found.distances[1, 0] == 0
    for index, neighbours in zip(chosen.tolist(), found.indices.tolist(), strict=True):
        assert sorted([*neighbours, index, index + 40]) == list(range(80))
    assert found.distances.isfinite().all()


def test_neighbours_are_drawn_beside_their_sample() -> None:
    samples, real = _images(3), _images(6, seed=1)
    neighbours = nearest_neighbours(samples, real, count=2)
    picture = neighbours_picture(samples, real, neighbours, columns=2)
    side, step_y, step_x = 96, 96 + 20 + 6, 96 + 6
    assert picture.shape == (2 * step_y + 6, 6 * step_x + 6, 3)
    assert (picture[6, 6 : 6 + side] == 255).all()  # the frame of the first sample
    second = picture[6 : 6 + side, 6 + 5 * step_x : 6 + 5 * step_x + side]  # last of the first row
    np.testing.assert_array_equal(second[::12, ::12], real[neighbours.indices[1, 1]].permute(1, 2, 0))


def test_neighbours_have_names_and_a_title() -> None:
    samples, real = _images(3), _images(6, seed=1)
    neighbours = nearest_neighbours(samples, real, count=2)
    plain = neighbours_picture(samples, real, neighbours, names=["sample 0", "sample 1", "sample 2"])
    np.testing.assert_array_equal(plain, neighbours_picture(samples, real, neighbours))
    titled = neighbours_picture(samples, real, neighbours, names=["real 7", "", ""], title="a title")
    assert (titled[: -len(plain)].max(axis=(0, 2)) > 200).any()
    assert not np.array_equal(titled[-len(plain) :], plain)
