import numpy as np
import pytest

from retable.data.splits import block_split, share_out, stratified_split
from retable.errors import DataError

NAMES = "abcdefgh"
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}


@pytest.mark.parametrize("seed", range(5))
def test_splits_are_disjoint_complete_and_stratified(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 8, 500).tolist()
    found = stratified_split(labels, SHARES, seed, NAMES)
    together = [index for members in found.values() for index in members]
    assert sorted(together) == list(range(500))
    for label in range(8):
        count = labels.count(label)
        for name, members in found.items():
            mine = sum(labels[index] == label for index in members)
            assert abs(mine - SHARES[name] * count) < 1


def test_equal_seeds_give_equal_splits_and_others_do_not() -> None:
    labels = [index % 4 for index in range(80)]
    assert stratified_split(labels, SHARES, 3, NAMES) == stratified_split(labels, SHARES, 3, NAMES)
    assert stratified_split(labels, SHARES, 3, NAMES) != stratified_split(labels, SHARES, 4, NAMES)


def test_a_class_stays_where_it_is_when_another_grows() -> None:
    labels = [0] * 20
    before = stratified_split(labels, SHARES, 1, NAMES)
    after = stratified_split([*labels, *[1] * 7], SHARES, 1, NAMES)
    assert {name: [index for index in members if index < 20] for name, members in after.items()} == before


def test_every_class_is_in_every_split() -> None:
    found = stratified_split([0, 0, 0, *[1] * 50], SHARES, 0, NAMES)
    assert all(0 in members or 1 in members or 2 in members for members in found.values())


def test_a_class_of_too_few_drawings_is_named() -> None:
    with pytest.raises(DataError, match="f has 2 images, too few to split them into train, val, test"):
        stratified_split([5, 5, *[1] * 10], SHARES, 0, NAMES)


def test_one_split_takes_all() -> None:
    assert stratified_split([3, 4], {"test": 0.2, "val": 0.0}, 0, NAMES) == {"test": [0, 1]}


def test_shares_add_up() -> None:
    assert share_out(500, [0.6, 0.2, 0.2]) == [300, 100, 100]
    assert share_out(3, [0.98, 0.01, 0.01]) == [1, 1, 1]
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]


def test_blocks_are_runs_of_each_sources_order() -> None:
    groups = ["a", "b"] * 12 + ["c"]
    found = block_split(groups, {"train": 3, "val": 1, "test": 0})
    assert set(found) == {"train", "val"}
    assert sorted(found["train"] + found["val"]) == list(range(25))
    assert [position for position in found["val"] if position % 2 == 0] == [6, 14, 22]
    assert 24 in found["train"]  # a single sample is learnt from


def test_small_sources_are_shared_out_as_the_others() -> None:
    found = block_split(["a"] * 5, {"train": 3, "val": 1, "test": 1})
    assert found == {"train": [0, 1, 2], "val": [3], "test": [4]}
