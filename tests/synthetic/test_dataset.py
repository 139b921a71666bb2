"""What generated datasets have in common."""

import pytest

from retable.errors import ConfigError
from retable.synthetic.dataset import GeneratedDataset


class Dots(GeneratedDataset):
    title, version, sizes, splits = "dots", 1, (8, 32), ("train", "val", "test")

    def number(self, index: int) -> float:
        return self._stream(index).random()


class Whole(Dots):
    splits = ()


class Newer(Dots):
    version = 2


def test_images_have_numbers_of_their_own() -> None:
    sets = [Dots(20, 8, seed, split) for seed in (0, 1, 2**70) for split in Dots.splits] + [Whole(20, 8, 0)]
    numbers = [each.number(index) for each in sets for index in range(len(each))]
    assert len(set(numbers)) == len(numbers) == 200
    assert Dots(5, 16, 1, "val").number(3) == Dots(20, 8, 1, "val").number(3)


def test_the_fingerprint_tells_version_parameters_and_options() -> None:
    sets = [
        Dots(20, 8, 0, "train"), Dots(21, 8, 0, "train"), Dots(20, 9, 0, "train"), Dots(20, 8, 1, "train"),
        Dots(20, 8, 0, "val"), Dots(20, 8, 0, "train", 0.5), Newer(20, 8, 0, "train"),
    ]  # fmt: skip
    fingerprints = {each.fingerprint() for each in sets}
    assert len(fingerprints) == len(sets)
    assert Dots(20, 8, 0, "train").fingerprint() in fingerprints
    assert all(len(fingerprint) == 64 for fingerprint in fingerprints)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 8, 0, "train"), "count=0 of the dots must be at least 1"),
        ((1, 7, 0, "train"), "image_size=7 of the dots is out of range: use 8 to 32 pixels"),
        ((1, 8, -1, "train"), "seed=-1 of the dots must not be negative"),
        ((1, 8, 0, "all"), "unknown split 'all' of the dots: use train, val or test"),
        ((1, 8, 0, None), "unknown split 'None' of the dots"),
    ],
)
def test_impossible_parameters_are_named(arguments: tuple[int, int, int, str | None], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Dots(*arguments)


@pytest.mark.parametrize("index", [-1, 3])
def test_there_are_no_images_beyond_the_count(index: int) -> None:
    with pytest.raises(IndexError, match=f"image {index} of 3"):
        Dots(3, 8, 0, "train").number(index)
