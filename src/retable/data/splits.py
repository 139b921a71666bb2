"""Splits of a dataset: shares in whole samples, each class alike or each source in runs of its order."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from retable.errors import DataError

ROLES = ("train", "val", "test")


def stratified_split(
    labels: Sequence[int], shares: Mapping[str, float], seed: int, names: Sequence[str]
) -> dict[str, list[int]]:
    """Splits samples so that each class is shared out alike, at random but the same for equal seeds.

    Args:
        labels: Class of each sample.
        shares: Relative size of each split; splits of share 0 are left out.
        seed: Of the order in which each class is dealt out.
        names: Names of the classes, for the message.

    Returns:
        Positions in `labels` by split, ascending. Each class is in every split at least once; but for that, sizes
        differ from the shares by less than one sample a class.

    Raises:
        DataError: A class has fewer samples than there are splits.
    """
    wanted = {name: share for name, share in shares.items() if share > 0}
    found: dict[str, list[int]] = {name: [] for name in wanted}
    array = np.asarray(labels)
    for label in np.unique(array):
        members = np.flatnonzero(array == label)
        if len(members) < len(wanted):
            raise DataError(
                f"{names[label]} has {len(members)} images, too few to split them into {', '.join(wanted)}: "
                "add images, or leave the class out"
            )
        order = np.random.default_rng([seed, int(label)]).permutation(members)
        start = 0
        for name, size in zip(wanted, share_out(len(members), list(wanted.values())), strict=True):
            found[name] += order[start : start + size].tolist()
            start += size
    return {name: sorted(members) for name, members in found.items()}


def share_out(count: int, shares: Sequence[float]) -> list[int]:
    """Returns whole numbers of at least 1 that add up to `count` and are as the shares, by largest remainders."""
    exact = np.array(shares) / sum(shares) * count
    sizes = np.floor(exact).astype(int)
    for index in np.argsort(sizes - exact, kind="stable")[: count - int(sizes.sum())]:
        sizes[index] += 1
    while (sizes == 0).any():  # a rare class: what has most gives one
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    return [int(size) for size in sizes]


def block_split(groups: Sequence[Hashable], shares: Mapping[str, float], rounds: int = 3) -> dict[str, list[int]]:
    """Splits samples whose neighbours are alike, such as the frames of a camera: into runs of their order.

    Each group is cut into so many stretches, and each stretch into one run a split, so that a split sees several parts
    of a source but hardly ever the neighbour of what another one sees.

    Args:
        groups: What each sample comes from, in the samples' own order.
        shares: Relative size of each split; splits of share 0 are left out.
        rounds: Stretches of a group; fewer where it is small.

    Returns:
        Positions in `groups` by split, ascending. A group of fewer samples than there are splits is whole in the first.
    """
    wanted = {name: share for name, share in shares.items() if share > 0}
    found: dict[str, list[int]] = {name: [] for name in wanted}
    members: dict[Hashable, list[int]] = {}
    for position, group in enumerate(groups):
        members.setdefault(group, []).append(position)
    for positions in members.values():
        if len(positions) < len(wanted):
            found[next(iter(wanted))] += positions
            continue
        # so many that the smallest split gets a sample of each
        stretches = max(1, min(rounds, int(len(positions) * min(wanted.values()) / sum(wanted.values()))))
        start = 0
        for length in share_out(len(positions), [1.0] * stretches):
            for name, size in zip(wanted, share_out(length, list(wanted.values())), strict=True):
                found[name] += positions[start : start + size]
                start += size
    return {name: sorted(positions) for name, positions in found.items()}
