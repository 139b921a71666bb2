import math
import subprocess
import sys
from statistics import fmean, stdev
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from retable.tables import statistics
from retable.tables.over_images import ImageTest
from retable.tables.statistics import Judgement, Link, Verdict, holm, judge, summarise

INF = math.inf
CLEAR = (2.0, 2.2, 1.9, 2.1)
NOISY = (2.0, -1.0, 0.5)


def above(differences, boundary=0.0):
    return Link(tuple(differences), boundary, INF)


def below(differences, boundary=0.0):
    return Link(tuple(differences), -INF, boundary)


def within(differences, low, high):
    return Link(tuple(differences), low, high)


def judge_one(*links, level=0.05) -> Judgement:
    (judgement,) = judge([links], level)
    return judgement


# --- summaries


def test_summary_is_that_of_the_standard_library_and_scipy():
    values = [71.2, 69.8, 70.1, 73.0]
    summary = summarise(values)
    assert (summary.n, summary.mean, summary.std) == (4, pytest.approx(fmean(values)), pytest.approx(stdev(values)))
    low, high = stats.t.interval(0.95, 3, loc=fmean(values), scale=stats.sem(values))
    assert (summary.low, summary.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(("values", "mean"), [([], None), ([3.5], 3.5)])
def test_summary_of_fewer_than_two_values_has_no_spread(values, mean):
    assert summarise(values) == statistics.Summary(len(values), mean, None, None, None)


def test_summary_takes_numpy_values_and_gives_plain_floats():
    summary = summarise(np.float32([1, 2, 4]))
    assert all(type(value) is float for value in (summary.mean, summary.std, summary.low, summary.high))


# --- one link


@pytest.mark.parametrize("boundary", [0.0, 0.5, -1.25, 3.0])
def test_half_lines_are_tested_as_scipy_does(boundary):
    test = statistics.assess(above(NOISY, boundary))
    assert test.p_for == pytest.approx(stats.ttest_1samp(NOISY, boundary, alternative="greater").pvalue)
    assert test.p_against == pytest.approx(stats.ttest_1samp(NOISY, boundary, alternative="less").pvalue)
    assert test.effect == pytest.approx((fmean(NOISY) - boundary) / stdev(NOISY))

    mirrored = statistics.assess(below(NOISY, boundary))
    assert (mirrored.p_for, mirrored.p_against) == (pytest.approx(test.p_against), pytest.approx(test.p_for))
    assert mirrored.effect == pytest.approx(-test.effect)


def test_the_p_value_of_a_plain_claim_is_that_of_the_paired_t_test():
    a, b = np.array([71.2, 69.8, 70.1, 73.0]), np.array([70.0, 69.9, 68.0, 71.5])
    assert judge_one(above(a - b)).p == pytest.approx(stats.ttest_rel(a, b).pvalue)


@pytest.mark.parametrize("middle", [4.5, 4.0, 3.6, 3.0, 5.4, 7.0])
def test_intervals_are_tested_at_both_boundaries(middle):
    differences = [middle - 0.1, middle + 0.3, middle - 0.4, middle + 0.2]
    test = statistics.assess(within(differences, 3.5, 5.5))
    above_low, below_low = (
        stats.ttest_1samp(differences, 3.5, alternative=side).pvalue for side in ("greater", "less")
    )
    above_high, below_high = (
        stats.ttest_1samp(differences, 5.5, alternative=side).pvalue for side in ("greater", "less")
    )
    assert test.p_for == pytest.approx(max(above_low, below_high))
    assert test.p_against == pytest.approx(min(1.0, 2 * min(below_low, above_high)))
    assert (test.effect > 0) == (3.5 < middle < 5.5)


@pytest.mark.parametrize("differences", [(0.1 + 0.2, 0.3, 0.3), (70.1 - 69.8, 71.1 - 70.8), (0.0, 0.0), (-2.0, -2.0)])
def test_equal_differences_alone_prove_nothing(differences):
    test = statistics.assess(above(differences))
    assert (test.p_for, test.p_against, test.effect, test.test, test.std) == (None, None, None, None, 0)
    assert test.low == test.mean == test.high
    judgement = judge_one(above(differences))
    assert judgement.verdict == Verdict.inconclusive
    assert judgement.reason.endswith("seeds, and nothing else varies: seeds do not tell")


def test_equal_differences_are_tested_with_the_share_of_the_tables_variance():
    test = statistics.assess(above([2.0, 2.0]), statistics.Spread(1.5, 3))
    assert (test.std, test.deviation) == (0, pytest.approx(math.sqrt(3 * 1.5 / 4)))
    assert test.p_for == pytest.approx(stats.t.sf(2 * math.sqrt(2) / test.deviation, 4))


# --- images


def over_images(p_for, p_against, effect=0.5, decide=True):
    return SimpleNamespace(decide=decide, test=ImageTest(0.5, 3.5, effect, p_for, p_against))


def fixed(p_for, p_against, **more):
    return Link((2.0, 2.0), 0.0, INF, images=over_images(p_for, p_against, **more))


def test_images_decide_about_differences_that_do_not_depend_on_the_seed():
    judgement = judge_one(fixed(0.004, 1.0))
    assert (judgement.verdict, judgement.p) == (Verdict.reproduced, 0.008)
    assert judgement.reason == "difference +2.00 [0.50, 3.50], p 0.008 by bootstrap over images (Holm 0.008), 2 seeds"
    assert judge_one(fixed(1.0, 0.004)).verdict == Verdict.contradicted
    spread = statistics.Spread(1.5, 3)
    assert statistics.assess(fixed(0.004, 1.0), spread).test == "bootstrap over images"
    assert statistics.assess(fixed(0.004, 1.0, decide=False), spread).test == "moderated t test"
    assert statistics.spreads([fixed(0.004, 1.0)]) == {}
    varying = Link((2.0, 2.1), 0.0, INF, images=over_images(0.004, 1.0))
    assert statistics.assess(varying).test == "t test"


@pytest.mark.parametrize(
    ("links", "needed"),
    [
        ((fixed(0.1, 0.9),), False),
        ((fixed(0.1, 0.9, effect=None),), False),
        ((fixed(0.9, 0.1, effect=-0.1),), False),
        ((fixed(0.001, 1.0), above(NOISY)), True),  # what is not decided yet varies with the seed
        ((fixed(0.1, 0.9), above(CLEAR)), False),
        ((fixed(0.1, 0.9), above([-1.0, 0.2])), True),
    ],
)
def test_more_seeds_are_not_asked_for_where_images_decide(links, needed):
    judgement = judge_one(*links)
    assert judgement.verdict == Verdict.inconclusive
    assert (judgement.seeds_needed is not None) == needed
    assert judgement.reason.endswith("more test images would be needed, not more seeds") != needed


# --- the table's spread


def test_a_tables_spread_is_the_mean_variance_of_its_distinct_differences_of_a_unit():
    mirrored = [-difference for difference in NOISY]
    links = [above(NOISY), below(NOISY, 1.0), above(mirrored), above(CLEAR), above([1.0, 1.0]), above([3.0])]
    pairs = ((10.0, 30.0), (10.0, 31.0), (5.0, 7.0), (2.0, 9.0), (1.0, 2.0))
    found = statistics.spreads([*links, *(Link(pair, 0.0, INF, "FID") for pair in pairs)])
    assert found[""] == statistics.Spread(pytest.approx((2 * stdev(NOISY) ** 2 + 3 * stdev(CLEAR) ** 2) / 5), 1)
    assert found["FID"].prior == 3
    assert statistics.spreads([above(NOISY)])[""].prior == 0


def test_a_moderated_test_is_a_t_test_with_the_shrunk_variance():
    test = statistics.assess(above(NOISY), statistics.Spread(0.25, 3))
    deviation = math.sqrt((3 * 0.25 + 2 * stdev(NOISY) ** 2) / 5)
    t = fmean(NOISY) / deviation * math.sqrt(3)
    assert (test.test, test.deviation) == ("moderated t test", pytest.approx(deviation))
    assert (test.p_for, test.p_against) == (pytest.approx(stats.t.sf(t, 5)), pytest.approx(stats.t.cdf(t, 5)))
    margin = stats.t.ppf(0.975, 5) * deviation / math.sqrt(3)
    assert (test.low, test.high) == (pytest.approx(fmean(NOISY) - margin), pytest.approx(fmean(NOISY) + margin))


# --- sign flips


@pytest.mark.parametrize("count", [6, 9, 17])
@pytest.mark.parametrize("boundary", [0.0, 0.7])
def test_sign_flips_are_those_of_scipy(count, boundary):
    differences = np.random.default_rng(count).normal(0.5, 1.0, count)
    test = statistics.assess(above(differences, boundary), flips=True)
    exact = count <= 16
    for side, found in (("greater", test.p_for), ("less", test.p_against)):
        expected = stats.permutation_test(
            (differences - boundary,), np.sum, permutation_type="samples", alternative=side, n_resamples=20_000, rng=1
        ).pvalue
        assert found == pytest.approx(expected, abs=1e-12 if exact else 0.02)
    assert test.test == "sign flips"


def test_sign_flips_of_an_interval_look_at_both_boundaries():
    differences = tuple(np.random.default_rng(3).normal(1.2, 0.5, 8))
    test = statistics.assess(within(differences, -1.0, 1.0), flips=True)
    low = statistics.assess(above(differences, -1.0), flips=True)
    high = statistics.assess(below(differences, 1.0), flips=True)
    assert test.p_for == max(low.p_for, high.p_for)
    assert test.p_against == min(1.0, 2 * min(low.p_against, high.p_against))


def test_fewer_than_six_seeds_and_equal_ones_have_no_sign_flips():
    assert statistics.assess(above(CLEAR), flips=True).test == "t test"
    assert statistics.assess(above([1.0] * 7), statistics.Spread(1.0, 3), flips=True).test == "moderated t test"
    first, second = judge([[above([1.0, 1.1, 0.9, 1.2, 0.8, 1.05])], [above(CLEAR)]], flips=True)
    assert first.p == pytest.approx(2 / 64)
    assert "by sign flips (Holm" in first.reason
    assert "by moderated t test (Holm" in second.reason
    assert first.verdict == Verdict.reproduced


def test_a_real_spread_is_never_taken_for_rounding():
    assert statistics.assess(above([1e-6, 2e-6, 3e-6])).std == pytest.approx(1e-6)


@pytest.mark.parametrize("wrong", [math.nan, INF, -INF])
def test_undefined_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="finite"):
        above([1.0, wrong])
    with pytest.raises(ValueError, match="finite"):
        summarise([wrong])


@pytest.mark.parametrize(
    ("low", "high"), [(1, 1), (2, 1), (-INF, INF), (math.nan, 1), (0, math.nan), (INF, INF), (-INF, -INF)]
)
def test_regions_that_divide_nothing_are_refused(low, high):
    with pytest.raises(ValueError, match="region"):
        Link((1.0, 2.0), low, high)


# --- Holm


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.01, 0.02, 0.022], [0.03, 0.04, 0.04]),
        ([0.5, 0.001, 0.9, 0.6], [1.0, 0.004, 1.0, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.0, 1.0], [0.0, 1.0]),
    ],
)
def test_holm_by_hand(given, expected):
    assert holm(given) == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_holm_refuses_what_is_no_p_value(wrong):
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, wrong])


# --- verdicts


@pytest.mark.parametrize(
    ("links", "verdict"),
    [
        ([above(CLEAR)], "reproduced"),
        ([below(CLEAR)], "contradicted"),
        ([above(CLEAR, 3.0)], "contradicted"),
        ([below(CLEAR, 3.0)], "reproduced"),
        ([above(NOISY)], "inconclusive"),
        ([below(NOISY)], "inconclusive"),
        ([within(CLEAR, 1.0, 3.0)], "reproduced"),
        ([within(CLEAR, -1.0, 1.0)], "contradicted"),
        ([within(CLEAR, 3.0, 4.0)], "contradicted"),
        ([within(CLEAR, 2.0, 3.0)], "inconclusive"),
        ([within(NOISY, -1.0, 1.0)], "inconclusive"),
        ([above(CLEAR), above(CLEAR, 1.0), below(CLEAR, 3.0)], "reproduced"),
        ([above(CLEAR), above([-d for d in CLEAR])], "contradicted"),
        ([above(CLEAR), above(NOISY)], "inconclusive"),
        ([above(NOISY), below(CLEAR)], "contradicted"),
    ],
)
def test_verdicts(links, verdict):
    judgement = judge_one(*links)
    assert judgement.verdict == Verdict(verdict)
    assert (judgement.p_adjusted <= 0.05) == (verdict != "inconclusive")
    assert len(judgement.tests) == len(links)


def test_the_p_values_of_a_conjunction():
    links = above(CLEAR), above(NOISY), below(CLEAR, 2.3)
    spread = statistics.spreads(links)[""]
    tests = [statistics.assess(link, spread) for link in links]
    p_for = max(test.p_for for test in tests)
    p_against = 3 * min(test.p_against for test in tests)
    assert judge_one(*links).p == pytest.approx(min(1.0, 2 * min(p_for, p_against)))


def test_holm_runs_over_the_claims_that_can_be_tested():
    weak = (1.0, 1.5, 0.8)
    alone = judge_one(above(weak))
    assert alone.verdict == Verdict.reproduced
    untestable = [above([1.0])], [above([])], [above(weak), above([1.0])]
    assert judge([[above(weak)], *untestable])[0] == alone
    among_others = judge([[above(weak)], [above(NOISY)], [below(NOISY)]])
    assert among_others[0].p_adjusted > among_others[0].p
    assert [judgement.p_adjusted for judgement in among_others] == pytest.approx(holm([j.p for j in among_others]))


def test_one_seed_is_inconclusive():
    judgement = judge_one(above([2.1]))
    assert judgement.verdict == Verdict.inconclusive
    assert (judgement.p, judgement.p_adjusted, judgement.seeds_needed) == (None, None, None)
    assert judgement.reason == "difference +2.10; one seed shows no spread, at least 3 are needed"


@pytest.mark.parametrize("links", [[above([])], [above(CLEAR), above([])], [above([]), above([1.0])]])
def test_zero_seeds_are_inconclusive(links):
    judgement = judge_one(*links)
    assert judgement.verdict == Verdict.inconclusive
    assert (judgement.p, judgement.p_adjusted, judgement.seeds_needed) == (None, None, None)
    assert judgement.reason == "no seed has both rows yet"


def test_a_table_without_claims():
    assert judge([]) == []


def test_mistakes_of_the_caller_are_named():
    with pytest.raises(ValueError, match="at least one link"):
        judge([[above(CLEAR)], []])
    with pytest.raises(ValueError, match="level"):
        judge([[above(CLEAR)]], level=0.0)


# --- reasons


@pytest.mark.parametrize(
    ("links", "reason"),
    [
        ([above(CLEAR)], "difference +2.05 [1.84, 2.26], p < 0.001 by t test (Holm < 0.001), 4 seeds"),
        (
            [above([0.021, 0.012, 0.03])],
            "difference +0.0210 [-0.0014, 0.0434], p 0.0561 by t test (Holm 0.0561), 3 seeds; "
            "about 4 seeds would be needed",
        ),
        ([above([120.0, 140.0, 100.0])], "difference +120 [70, 170], p 0.00913 by t test (Holm 0.00913), 3 seeds"),
        (
            [above([2.0, 2.0])],
            "difference +2.00 [2.00, 2.00]; equal for all of 2 seeds, and nothing else varies: seeds do not tell",
        ),
        (
            [above([1.0, -1.0])],
            "difference +0.0 [-12.7, 12.7], p 1 by t test (Holm 1), 2 seeds; the mean lies on the claim's boundary",
        ),
        (
            [above([1.0, -0.99])],
            "difference +0.0 [-12.6, 12.6], p 0.997 by t test (Holm 0.997), 2 seeds; "
            "more than 1000 seeds would be needed",
        ),
        (
            [above(CLEAR), above([2.1, 1.8, 2.4])],
            "differences +2.05 [1.83, 2.27], +2.10 [1.60, 2.60], p < 0.001 by moderated t test (Holm < 0.001), "
            "3 to 4 seeds",
        ),
        (
            [above(CLEAR), above([2.1, 1.8, 2.4]), above([2.0, 1.8, 2.4]), above([1.1, 0.8, 1.3])],
            "the weakest of 4 differences +1.07 [0.70, 1.43], p < 0.001 by moderated t test (Holm < 0.001), "
            "3 to 4 seeds",
        ),
    ],
)
def test_reasons_give_the_numbers(links, reason):
    assert judge_one(*links).reason == reason


# --- seeds needed


def test_seeds_needed_grow_with_the_number_of_claims_and_exceed_those_there_are():
    alone = judge_one(above(NOISY)).seeds_needed
    among_others = judge([[above(NOISY)]] * 5)[0].seeds_needed
    assert 3 < alone < among_others < 1000


@pytest.mark.parametrize("links", [[above([1.0, -1.0])], [above([0.0, 0.0])], [above([1.0, -0.999])]])
def test_seeds_needed_are_unknown_at_the_boundary_and_beyond_1000(links):
    assert judge_one(*links).seeds_needed is None


def test_a_mean_of_zero_inside_an_interval_is_no_boundary():
    assert judge_one(within([0.9, -0.9, 0.0], -1.0, 1.0)).seeds_needed > 3


def test_seeds_needed_of_a_conjunction_follow_the_hardest_link_for_it_and_the_easiest_against_it():
    harder = (1.5, -1.0, 0.4)
    # each of a unit of its own, so that none borrows spread
    links = [Link(values, 0.0, INF, str(unit)) for unit, values in enumerate((CLEAR, NOISY, harder))]
    for_it = judge_one(*links)
    assert for_it.seeds_needed == judge_one(above(harder)).seeds_needed > judge_one(above(NOISY)).seeds_needed
    # against it, the level is shared by the three links
    against_it = judge_one(links[0], *(Link(link.differences, -INF, 0.0, link.unit) for link in links[1:]))
    assert against_it.seeds_needed == judge_one(below(NOISY), level=0.05 / 3).seeds_needed


def standardised(count, rng):
    noise = rng.standard_normal(count)
    return (noise - noise.mean()) / noise.std(ddof=1)


@pytest.mark.parametrize(
    ("low", "high", "mean", "claims"),
    [
        (0.0, INF, 1.0, 1),
        (0.0, INF, 1.0, 10),
        (0.0, INF, 0.4, 3),
        (0.0, INF, -0.7, 1),
        (-INF, 1.0, 1.5, 2),
        (-1.0, 1.0, 0.0, 1),
        (-1.0, 1.0, 0.4, 1),
        (-1.0, 1.0, 1.6, 1),
    ],
)
def test_the_number_of_seeds_needed_has_the_power_that_it_promises(low, high, mean, claims):
    rng = np.random.default_rng(7)
    # three or more differences with exactly the wanted mean and a standard deviation of 1, as if measured
    measured = within(mean + standardised(3, rng), low, high)
    judgement = judge([[measured]] * claims)[0]
    needed = judgement.seeds_needed
    inside = low < mean < high
    drawn = rng.normal(mean, 1.0, size=(20000, needed))
    t_low, t_high = (
        (drawn.mean(axis=1) - boundary) / (drawn.std(axis=1, ddof=1) / math.sqrt(needed)) for boundary in (low, high)
    )
    one_sided = 0.05 / claims / 2
    if inside:
        critical = stats.t.isf(one_sided, needed - 1)
        decided = (t_low > critical) & (t_high < -critical)
    else:
        critical = stats.t.isf(one_sided / (math.isfinite(low) + math.isfinite(high)), needed - 1)
        decided = (t_low < -critical) | (t_high > critical)
    # one more seed than the exact number may carry a small one over the mark
    assert 0.79 < decided.mean() < 0.86


# --- calibration


def rate_of_false_verdicts(families):
    false = [any(judgement.verdict != Verdict.inconclusive for judgement in judge(family)) for family in families]
    return fmean(false)


def test_tables_without_any_effect_get_a_verdict_as_often_as_the_level_says():
    rng = np.random.default_rng(1)
    families = [[[Link(tuple(rng.normal(size=3)), 0.0, INF, str(n))] for n in range(4)] for _ in range(3000)]
    assert 0.03 < rate_of_false_verdicts(families) < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 3000)


def test_conjunctions_and_intervals_on_the_boundary_get_a_verdict_at_most_as_often():
    rng = np.random.default_rng(2)

    def family():
        shared = rng.normal(size=(3, 4))
        return [
            [above(shared[0]), above(shared[1] - shared[0])],
            [above(shared[0]), above(5 + shared[2])],
            [within(1 + shared[1], -1.0, 1.0)],
            [below(shared[2])],
        ]

    assert rate_of_false_verdicts([family() for _ in range(1000)]) <= 0.05


# --- cost


def test_importing_the_module_brings_neither_numpy_nor_scipy():
    code = "import sys, retable.tables.statistics; assert not {'numpy', 'scipy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
