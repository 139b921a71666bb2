import math

import numpy as np
import pytest

from retable.tables import sequential


def test_without_a_second_look_the_p_value_is_that_of_the_first() -> None:
    assert sequential.p_value(0.03, 0.03, 1.0) == 0.03


def test_pococks_two_looks_have_nearly_equal_levels() -> None:
    # equal levels of 0.0294 are Pocock's for two looks at 0.05; Lan and DeMets's function of his type is close to them
    assert sequential.first_look(0.0310, 0.5) == pytest.approx(0.05, rel=2e-3)
    assert sequential.second_look(0.0277, 0.5) == pytest.approx(0.05, rel=2e-2)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_two_looks_together_err_as_often_as_they_say(share: float) -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=2_000)
    second = math.sqrt(share) * first + math.sqrt(1 - share) * rng.normal(size=first.size)
    p = [2 * (1 - np.vectorize(math.erf)(np.abs(z) / math.sqrt(2))) / 2 for z in (first, second)]
    found = [sequential.p_value(one, two, share) for one, two in zip(*p, strict=True)]
    for level in (0.05, 0.2):
        assert np.mean(np.asarray(found) <= level) == pytest.approx(level, abs=4 * math.sqrt(level / first.size))


def test_tiny_and_large_p_values() -> None:
    assert sequential.p_value(1.0, 1.0, 0.5) == 1.0
    assert 0 < sequential.p_value(0.5, 1e-200, 0.5) < 1e-199
    assert sequential.second_look(1e-10, 0.5) == pytest.approx(sequential.second_look(0.999e-10, 0.5), rel=0.8)
    assert sequential.p_value(0.0, 0.0, 0.5) == 0.0
