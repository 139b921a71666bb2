"""Refining corners: geometry, what is seen, what is learnt."""

import pytest
import torch

from retable.papers.barcodes.localiser.refinement import (
    AROUND,
    CornerRefiner,
    disturbed,
    moved,
    placed,
    refinement_loss,
    views,
)

SQUARE = torch.tensor([[(10.0, 20.0), (50.0, 20.0), (50.0, 40.0), (10.0, 40.0)]])


def test_places_are_between_the_corners_or_outside() -> None:
    places = torch.tensor([(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (1.5, -1.0)])
    assert placed(SQUARE, places)[0].tolist() == [[10, 20], [50, 40], [30, 30], [70, 0]]


def test_offsets_are_parts_of_the_sides() -> None:
    offsets = torch.zeros(1, 4, 2)
    offsets[0, 2] = torch.tensor([0.1, -0.5])
    assert moved(SQUARE, offsets)[0, 2].tolist() == pytest.approx([54.0, 30.0])


def test_the_quadrangle_is_in_the_middle_of_what_is_seen() -> None:
    photo = torch.zeros(1, 1, 60, 60)
    photo[:, :, 20:40, 10:50] = 1.0
    (seen,) = views(photo, SQUARE)
    height, width = seen.shape[1:]
    assert seen.shape == (1, 48, 160)
    share = 1 / (1 + 2 * AROUND)
    assert seen.mean().item() == pytest.approx(share * share, abs=0.02)
    assert seen[0, height // 2, width // 2] == 1.0
    assert seen[0, 0, 0] == 0.0


def test_disturbed_quadrangles_are_near_and_either_way_up() -> None:
    found = disturbed(SQUARE.repeat(50, 1, 1), 2, torch.Generator().manual_seed(0))
    assert found.shape == (100, 4, 2)
    upside_down = found[:, 0, 1] > found[:, 2, 1]
    assert 20 < int(upside_down.sum()) < 80
    middles = found.mean(dim=1) - SQUARE.mean(dim=1)
    assert (middles.abs() < torch.tensor([25.0, 12.0])).float().mean() > 0.9


def test_the_loss_counts_parts_of_sides_whichever_way_up() -> None:
    assert refinement_loss(SQUARE, SQUARE.roll(2, dims=1)) == 0.0
    far = refinement_loss(SQUARE + torch.tensor([4.0, 0.0]), SQUARE)
    assert far.item() == pytest.approx((0.1 - 0.01) / 2)  # a tenth of the width in x, nothing in y
    assert refinement_loss(SQUARE + torch.tensor([0.0, 2.0]), SQUARE).item() == pytest.approx(far.item())


def test_it_learns_where_a_rectangle_is() -> None:
    torch.manual_seed(0)
    photo = torch.zeros(1, 1, 60, 60)
    photo[:, :, 20:40, 10:50] = 1.0
    refiner = CornerRefiner(4)
    optimizer = torch.optim.Adam(refiner.parameters(), 3e-3)
    for _ in range(60):
        found = disturbed(SQUARE, 16)
        loss = refinement_loss(
            moved(found, refiner(views(photo.expand(16, -1, -1, -1), found))), SQUARE.repeat(16, 1, 1)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = disturbed(SQUARE, 32, torch.Generator().manual_seed(1))
    before = refinement_loss(found, SQUARE.repeat(32, 1, 1))
    with torch.no_grad():
        better = moved(found, refiner.eval()(views(photo.expand(32, -1, -1, -1), found)))
    assert refinement_loss(better, SQUARE.repeat(32, 1, 1)) < 0.5 * before
