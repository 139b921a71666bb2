"""How often the rule of verdicts errs, and how often it finds what is there: 10,000 tables for each line.

Every claim is `A > B`. Where nothing is there, a table errs if any claim gets a verdict; where all means lie 2 or 3
standard deviations off, the power is the share of claims that get one. Compared are the paired t test, the moderated
one and sign flips, each with Holm's method at 0.05. The first tables of each line are judged by
`retable.tables.statistics` as well, and must agree.

Target: from three seeds on, with the moderated test, at most 0.054 of the tables err while true spreads differ by a
factor of 2.5 at most.
"""

import sys

import numpy as np
from scipy import special

from retable.tables import statistics
from retable.tables.statistics import Link, Verdict

TABLES, JUDGED, TARGET, LEVEL = 10_000, 50, 0.054, 0.05
SAFE = ("equal", "factor 2.5", "shared rows")
LINES = (
    *((2, claims, "factor 2.5") for claims in (3, 7)),
    *((3, claims, kind) for claims in (2, 3, 7, 14) for kind in ("equal", "factor 2.5", "skewed")),
    *((3, 7, kind) for kind in ("shared rows", "factor 5", "heavy tails")),
    *((seeds, 7, kind) for seeds in (5, 10) for kind in ("equal", "factor 2.5", "heavy tails", "skewed")),
)


def noise(rng: np.random.Generator, kind: str, claims: int, seeds: int) -> np.ndarray:
    """Differences with mean 0 and variance 1: tables x claims x seeds."""
    shape = (TABLES, claims, seeds)
    if kind == "skewed":
        return rng.exponential(size=shape) - 1
    if kind == "heavy tails":
        return rng.standard_t(3, size=shape) / np.sqrt(3)
    if kind == "shared rows":  # differences of five rows, as those of a paper's table are
        rows = rng.normal(size=(TABLES, 5, seeds)) / np.sqrt(2)
        pairs = ((1, 0), (2, 0), (3, 0), (4, 0), (3, 1), (3, 2), (4, 3))
        return np.stack([rows[:, a] - rows[:, b] for a, b in pairs], axis=1)
    return rng.normal(size=shape)


def t_test(differences: np.ndarray, prior: int = 0) -> np.ndarray:
    """Two-sided p-values, with the table's variance as so many degrees of freedom."""
    seeds = differences.shape[2]
    own = differences.var(axis=2, ddof=1)
    freedom = seeds - 1 + prior
    variance = (prior * own.mean(axis=1, keepdims=True) + (seeds - 1) * own) / freedom
    return 2 * special.stdtr(freedom, -np.abs(differences.mean(axis=2)) / np.sqrt(variance / seeds))


def sign_flips(differences: np.ndarray) -> np.ndarray:
    """Two-sided p-values of all flips of signs."""
    seeds = differences.shape[2]
    signs = 1.0 - 2 * (np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1)
    p = np.empty(differences.shape[:2])
    for part in np.array_split(np.arange(len(p)), max(1, differences[..., 0].size * len(signs) // 10**7)):
        sums = differences[part] @ signs.T
        reached = (sums >= sums[..., :1] - 1e-9).mean(axis=2), (sums <= sums[..., :1] + 1e-9).mean(axis=2)
        p[part] = np.minimum(1, 2 * np.minimum(*reached))
    return p


def decided(p: np.ndarray) -> np.ndarray:
    """Which claims have a verdict, by Holm's method: tables x claims."""
    claims = p.shape[1]
    order = np.argsort(p, axis=1)
    adjusted = np.maximum.accumulate(np.take_along_axis(p, order, axis=1) * np.arange(claims, 0, -1), axis=1)
    found = np.empty(p.shape, dtype=bool)
    np.put_along_axis(found, order, adjusted <= LEVEL, axis=1)
    return found


def check(differences: np.ndarray, found: np.ndarray, flips: bool) -> None:
    """Compares verdicts with those of reports."""
    for table, expected in zip(differences[:JUDGED], found, strict=False):
        judged = statistics.judge([[Link(tuple(claim), 0.0, np.inf)] for claim in table], LEVEL, flips)
        assert [judgement.verdict != Verdict.inconclusive for judgement in judged] == expected.tolist()


def main() -> bool:
    """Prints the table; returns whether the target is met."""
    rng = np.random.default_rng(12)
    print("| seeds | claims | differences | tables that err: t | moderated | flips | power at 2: t | moderated | flips "
          "| at 3: t | moderated | flips |")  # fmt: skip
    print("|---:" * 2 + "|---" + "|---:" * 9 + "|")
    met = True
    for seeds, claims, kind in LINES:
        drawn = noise(rng, kind, claims, seeds)
        factor = float(kind.partition("factor ")[2] or 1)
        deviations = factor ** np.linspace(0, 1, claims)[None, :, None]
        figures = []
        for effect in (0, 2, 3):
            differences = (drawn + effect) * deviations
            tests = [t_test(differences), t_test(differences, min(3, claims - 1))]
            tests += [sign_flips(differences)] if seeds >= 6 else []
            verdicts = [decided(p) for p in tests]
            for found, flips in zip(verdicts[1:], (False, True), strict=False):
                check(differences, found, flips)
            rates = [(found.any(axis=1) if effect == 0 else found).mean() for found in verdicts]
            met &= effect > 0 or kind not in SAFE or seeds < 3 or rates[1] <= TARGET
            figures += [f"{rate:.{3 if effect == 0 else 2}f}" for rate in rates] + ["–"] * (3 - len(rates))
        print(f"| {seeds} | {claims} | {kind} | {' | '.join(figures)} |", flush=True)
    return met


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
