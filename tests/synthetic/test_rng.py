"""Random numbers by place."""

import math

import numpy as np
import pytest

from retable.synthetic.rng import RandomStream, Weighted


def test_a_place_has_one_stream_and_no_two_share_it() -> None:
    def start(*place: int) -> tuple[float, ...]:
        rng = RandomStream(*place)
        return tuple(rng.random() for _ in range(4))

    assert start(3, 1, 2) == start(3, 1, 2)
    places = [(seed, split, index) for seed in (0, 1, 2**80) for split in range(3) for index in range(50)]
    assert len({start(*place) for place in places}) == len(places)


def test_numbers_are_the_same_everywhere() -> None:
    rng = RandomStream(7, 5)
    found = [rng.random(), rng.uniform(2.0, 4.0), rng.integer(1, 6), rng.choice("abcdef"), rng.seed()]
    assert found == [0.20139663588288237, 2.2887833486615, 6, "b", 277256880624853]


def test_numbers_have_their_distributions() -> None:
    rng = RandomStream(1)
    draw = {
        "uniform": [rng.uniform(2.0, 5.0) for _ in range(4000)],
        "log_uniform": [math.log(rng.log_uniform(0.1, 10.0)) for _ in range(4000)],
        "triangular": [rng.triangular(2.0) for _ in range(4000)],
        "normal": [rng.normal(3.0, 0.5) for _ in range(4000)],
        "integer": [rng.integer(2, 4) for _ in range(4000)],
        "chance": [rng.chance(0.3) for _ in range(4000)],
        "sign": [rng.sign() for _ in range(4000)],
        "choice": [rng.choice((1.0, 2.0, 6.0)) for _ in range(4000)],
    }
    expected = {
        "uniform": (3.5, 3 / 12**0.5),
        "log_uniform": (0.0, math.log(100) / 12**0.5),
        "triangular": (0.0, 2 / 6**0.5),
        "normal": (3.0, 0.5),
        "integer": (3.0, (2 / 3) ** 0.5),
        "chance": (0.3, 0.21**0.5),
        "sign": (0.0, 1.0),
        "choice": (3.0, (14 / 3) ** 0.5),
    }
    for name, (mean, deviation) in expected.items():
        assert np.mean(draw[name]) == pytest.approx(mean, abs=0.06), name
        assert np.std(draw[name]) == pytest.approx(deviation, rel=0.05), name
    assert set(draw["integer"]) == {2, 3, 4}


def test_arrays_come_from_the_same_place() -> None:
    first, second, other = RandomStream(4), RandomStream(4), RandomStream(5)
    numbers = first.generator.random(8)
    assert numbers.tolist() == second.generator.random(8).tolist() != other.generator.random(8).tolist()
    assert first.random() == second.random()


def test_weights_are_kept() -> None:
    rng, weighted = RandomStream(1), Weighted(("a", 6.0), ("b", 3.0), ("c", 1.0))
    drawn = [weighted.draw(rng) for _ in range(5000)]
    assert [drawn.count(name) / 5000 for name in "abc"] == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
