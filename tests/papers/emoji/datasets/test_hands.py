from pathlib import Path

import pytest

from retable.errors import ConfigError
from retable.papers.emoji.datasets.files import Drawing
from retable.papers.emoji.datasets.hands import split_by_hand


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
