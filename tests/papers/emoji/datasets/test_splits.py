from pathlib import Path

import numpy as np
import pytest

from retable.errors import ConfigError, DataError
from retable.papers.emoji.datasets.files import Drawing
from retable.papers.emoji.datasets.splits import share_out, split_by_hand, stratified_split

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}


@pytest.mark.parametrize("seed", range(5))
def test_splits_are_disjoint_complete_and_stratified(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 8, 500).tolist()
    found = stratified_split(labels, SHARES, seed)
    together = [index for members in found.values() for index in members]
    assert sorted(together) == list(range(500))
    for label in range(8):
        count = labels.count(label)
        for name, members in found.items():
            mine = sum(labels[index] == label for index in members)
            assert abs(mine - SHARES[name] * count) < 1


def test_equal_seeds_give_equal_splits_and_others_do_not() -> None:
    labels = [index % 4 for index in range(80)]
    assert stratified_split(labels, SHARES, 3) == stratified_split(labels, SHARES, 3)
    assert stratified_split(labels, SHARES, 3) != stratified_split(labels, SHARES, 4)


def test_a_class_stays_where_it_is_when_another_grows() -> None:
    labels = [0] * 20
    before = stratified_split(labels, SHARES, 1)
    after = stratified_split([*labels, *[1] * 7], SHARES, 1)
    assert {name: [index for index in members if index < 20] for name, members in after.items()} == before


def test_every_class_is_in_every_split() -> None:
    found = stratified_split([0, 0, 0, *[1] * 50], SHARES, 0)
    assert all(0 in members or 1 in members or 2 in members for members in found.values())


def test_a_class_of_too_few_drawings_is_named() -> None:
    with pytest.raises(DataError, match="winking_face has 2 drawings, too few to split them into train, val, test"):
        stratified_split([5, 5, *[1] * 10], SHARES, 0)


def test_one_split_takes_all() -> None:
    assert stratified_split([3, 4], {"test": 0.2, "val": 0.0}, 0) == {"test": [0, 1]}


def test_shares_add_up() -> None:
    assert share_out(500, [0.6, 0.2, 0.2]) == [300, 100, 100]
    assert share_out(3, [0.98, 0.01, 0.01]) == [1, 1, 1]
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]


def drawings(hands: str) -> list[Drawing]:
    return [Drawing(Path(str(index)), str(index), index % 2, hand) for index, hand in enumerate(hands)]


def test_leave_one_hand_out() -> None:
    mine = drawings("aaaaaaaaaabbbbbbbbbbcccccccccc")
    found = split_by_hand(mine, {"train": None, "val": None, "test": ["b"]}, 0.2, 0)
    assert found["test"] == list(range(10, 20))
    assert sorted(found["train"] + found["val"]) == [*range(10), *range(20, 30)]
    assert len(found["val"]) == 4
    assert {mine[index].label for index in found["val"]} == {0, 1}


def test_hands_in_no_list_are_left_out() -> None:
    found = split_by_hand(drawings("aaaabbbbccccdd"), {"train": ["a"], "val": ["b"], "test": ["c"]}, 0.2, 0)
    assert found == {"train": [0, 1, 2, 3], "val": [4, 5, 6, 7], "test": [8, 9, 10, 11]}


def test_drawings_without_a_hand_are_learnt_from() -> None:
    listed = [*drawings("aa"), Drawing(Path("x"), "x", 0, "")]
    assert split_by_hand(listed, {"train": None, "val": (), "test": ["a"]}, 0.2, 0)["train"] == [2]


@pytest.mark.parametrize(
    ("hands", "message"),
    [
        ({"train": None, "val": None, "test": ["anne"]}, r"data\.test_hands: nobody is called 'anne'; did you mean"),
        ({"train": ["ann"], "val": None, "test": ["ann"]}, r"data\.test_hands: ann is in data\.train_hands as well"),
    ],
)  # fmt: skip
def test_unknown_and_doubled_hands_are_told(hands: dict[str, list[str] | None], message: str) -> None:
    listed = [Drawing(Path("x"), "x", 0, hand) for hand in ("ann", "bob")]
    with pytest.raises(ConfigError, match=message):
        split_by_hand(listed, hands, 0.2, 0)


def test_unknown_hands_are_told() -> None:
    with pytest.raises(ConfigError, match=r"labels\.csv needs the column hand"):
        split_by_hand([Drawing(Path("x"), "x", 0)], {"train": None, "val": None, "test": ["a"]}, 0.2, 0)
