"""What a dataset looks like in numbers: resolutions, kinds of place, ships an image, splits.

The counts follow the published datasets: HRSD has 2499 images with 9269 ships (3.7 an image, split 1249/424/824, which
sum to 2497),
HRSC2016 has 1061 images with 2886 ships (2.7 an image, split 436/181/444, resolutions 0.4 to 2 m).
"""

from __future__ import annotations

from dataclasses import dataclass

from retable.errors import ConfigError


@dataclass(frozen=True)
class Place:
    """One kind of place that scenes show.

    Attributes:
        name: `sea`, `coast`, `harbour`, `marina`, `river` or `anchorage`.
        weight: Relative frequency.
        counts: (number of ships, weight) pairs that the number of ships is drawn from.
        resolutions: Range of ground resolutions in metres per pixel, at the profile's reference size.
        kinds: (kind of ship, weight) pairs.
    """

    name: str
    weight: float
    counts: tuple[tuple[int, float], ...]
    resolutions: tuple[float, float]
    kinds: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Profile:
    """A dataset's statistics, from which scenes are drawn.

    Attributes:
        name: Key of the profile.
        reference_size: Image size in pixels at which `Place.resolutions` and the lengths hold.
        lengths: Shortest and longest ship in pixels, at the reference size.
        places: Kinds of place.
        images: (split, number of images) pairs of the published dataset.
        mean_ships: Ships an image of the published dataset.
    """

    name: str
    reference_size: int
    lengths: tuple[float, float]
    places: tuple[Place, ...]
    images: tuple[tuple[str, int], ...]
    mean_ships: float

    def image_count(self, split: str) -> int:
        """Returns the number of images of a split; raises ConfigError for an unknown split."""
        for name, count in self.images:
            if name == split:
                return count
        raise ConfigError(
            f"unknown split '{split}' of profile {self.name}: use one of {', '.join(n for n, _ in self.images)}"
        )


def _geometric(first: int, last: int, ratio: float) -> tuple[tuple[int, float], ...]:
    """Returns counts first..last whose weights fall by `ratio` from one to the next."""
    return tuple((number, ratio ** (number - first)) for number in range(first, last + 1))


def _merchant_and(**others: float) -> tuple[tuple[str, float], ...]:
    """Returns merchant ships and others with their weights."""
    return (("bulk", 3.0), ("container", 2.0), ("tanker", 2.0), ("cargo", 3.0), *others.items())


HRSD = Profile(
    name="hrsd",
    reference_size=512,
    lengths=(10.0, 400.0),
    places=(
        Place(
            "sea",
            0.24,
            ((0, 1.2), (1, 4.0), (2, 2.0), (3, 1.0), (4, 0.5), (6, 0.3)),
            (0.7, 4.0),
            _merchant_and(ferry=1.0, warship=1.5, fishing=1.5, yacht=0.6, tug=0.5),
        ),
        Place("anchorage", 0.09, _geometric(3, 12, 0.8), (1.6, 5.0), _merchant_and(tug=0.6, fishing=0.8)),
        Place(
            "coast",
            0.18,
            ((0, 1.0), *_geometric(1, 8, 0.62)),
            (0.6, 3.2),
            _merchant_and(ferry=1.5, warship=1.0, tug=1.0, fishing=3.0, yacht=2.0),
        ),
        Place(
            "harbour",
            0.36,
            _geometric(1, 18, 0.78),
            (0.6, 2.8),
            _merchant_and(ferry=1.5, warship=3.0, carrier=0.25, submarine=0.4, tug=1.5, fishing=2.0, yacht=0.6),
        ),
        Place(
            "river",
            0.08,
            _geometric(1, 10, 0.72),
            (0.6, 2.2),
            (("cargo", 4.0), ("bulk", 1.0), ("tanker", 1.0), ("ferry", 0.7), ("tug", 1.0), ("fishing", 1.5)),
        ),
        Place(
            "marina", 0.045, _geometric(8, 34, 0.93), (0.3, 0.75), (("yacht", 5.0), ("fishing", 2.0), ("ferry", 0.1))
        ),
    ),
    images=(("train", 1249), ("val", 424), ("test", 824)),
    mean_ships=9269 / 2499,
)

HRSC2016 = Profile(
    name="hrsc2016",
    reference_size=640,
    lengths=(20.0, 500.0),
    places=(
        Place(
            "sea",
            0.16,
            ((1, 5.0), (2, 1.0), (3, 0.4)),
            (0.4, 1.6),
            _merchant_and(ferry=1.0, warship=5.0, carrier=0.8, submarine=0.5, yacht=0.4),
        ),
        Place(
            "coast",
            0.10,
            _geometric(1, 6, 0.5),
            (0.4, 1.8),
            _merchant_and(ferry=1.0, warship=3.0, tug=1.0, fishing=3.0, yacht=2.0),
        ),
        Place(
            "harbour",
            0.68,
            _geometric(1, 16, 0.70),
            (0.4, 1.6),
            _merchant_and(ferry=1.0, warship=12.0, carrier=1.2, submarine=1.5, tug=1.0, yacht=0.4),
        ),
        Place(
            "river",
            0.06,
            _geometric(1, 6, 0.6),
            (0.5, 1.6),
            (("cargo", 4.0), ("bulk", 1.0), ("tanker", 1.0), ("ferry", 0.7), ("tug", 1.0)),
        ),
    ),
    images=(("train", 436), ("val", 181), ("trainval", 617), ("test", 444)),
    mean_ships=2886 / 1061,
)

PROFILES = {profile.name: profile for profile in (HRSD, HRSC2016)}
