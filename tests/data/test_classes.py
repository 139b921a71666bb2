"""Classes of a dataset among those of a model."""

import pytest

from retable.data.classes import match_classes
from retable.errors import ConfigError


@pytest.mark.parametrize(
    ("known", "shown", "labels", "told"),
    [
        ("ab", "ab", [0, 1], ""),
        ("ab", "ba", [1, 0], "the data count the classes in another order, b, a"),
        ("abc", "cb", [2, 1], "the data have no a"),
        ("a", "x", [0], "x of the data is taken for the model's a"),
        ("abc", "cxb", [2, 0, 1], "x of the data is taken for the model's a"),
    ],
)
def test_classes_are_found_by_name(known: str, shown: str, labels: list[int], told: str) -> None:
    assert match_classes(known, shown) == (labels, told)


@pytest.mark.parametrize(("known", "shown"), [("ab", "abc"), ("ab", "xy"), ("abc", "x"), ("ab", "")])
def test_classes_that_the_model_does_not_know_are_refused(known: str, shown: str) -> None:
    with pytest.raises(ConfigError, match=r"data: the model tells a, b.* apart, the data show"):
        match_classes(known, shown)
