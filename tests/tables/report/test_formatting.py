from pathlib import Path

import pytest

from retable.tables.report import formatting
from retable.tables.statistics import summarise


@pytest.mark.parametrize(
    ("values", "decimals", "expected"),
    [
        ((1.0, 2.0, 4.0), 1, "2.3 ± 1.5"),  # with ddof=0 it would be 1.2
        ((71.25, 71.25), 1, "71.2 ± 0.0"),
        ((71.21, 71.22), 1, "71.2 ± <0.1"),
        ((0.5,), 3, "0.500"),
        ((), 1, "–"),
        ((-1.0, -3.0), 0, "−2 ± 1"),
        ((0.1, 0.2), 0, "0 ± <1"),
    ],
)
def test_mean_and_deviation(values, decimals, expected):
    summary = summarise(values)
    number, spread = formatting.number(summary.mean, decimals), formatting.deviation(summary.std, decimals)
    assert f"{number} {spread}".rstrip() == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(1.25, "+1.2"), (-0.4, "−0.4"), (0.04, "0.0"), (-0.04, "0.0"), (None, "–")]
)
def test_signed(value, expected):
    assert formatting.signed(value, 1) == expected


@pytest.mark.parametrize(
    ("p", "expected"), [(None, "–"), (0.0, "< 0.001"), (0.0355, "0.035"), (0.0949, "0.095"), (0.5, "0.50"), (1, "1.00")]
)
def test_p_value(p, expected):
    assert formatting.p_value(p) == expected


def test_seeds_are_said_only_where_they_are_fewer():
    assert formatting.seeds_note(3, 3) == ""
    assert formatting.seeds_note(2, 3) == "n = 2 of 3"


@pytest.mark.parametrize(("seconds", "expected"), [(4.4, "4 s"), (366, "6.1 min"), (9000, "2.50 h")])
def test_duration(seconds, expected):
    assert formatting.duration(seconds) == expected


@pytest.mark.parametrize(("count", "expected"), [(1247408128, "1.16 GiB"), (50 * 2**20, "50 MiB"), (0, "0 MiB")])
def test_memory(count, expected):
    assert formatting.memory(count) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hydra.run.dir=/a/out/cells/0123456789ab", "hydra.run.dir=outputs/cells/0123456789ab"),
        ("hydra.run.dir=/elsewhere/cells/0123456789ab", "hydra.run.dir=outputs/cells/0123456789ab"),
        ("'hydra.run.dir=/a/out/cells/0123456789ab'", "'hydra.run.dir=outputs/cells/0123456789ab'"),
        ("outputs=/a/out seed=1", "outputs=outputs seed=1"),
        ("/a/output/x.txt", "…/x.txt"),
        ("data.root=/data/HRSC2016 table=larsd/2", "data.root=…/HRSC2016 table=larsd/2"),
        ("data=hrsd and/or 3 / 4", "data=hrsd and/or 3 / 4"),
        ("see https://pytorch.org/a/b.html", "see https://pytorch.org/a/b.html"),
    ],
)
def test_portable(text, expected):
    assert formatting.portable(text, Path("/a/out")) == expected
