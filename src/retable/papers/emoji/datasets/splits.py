"""Who trains and who tests: splits with the same share of every class, or by the hands that drew."""

from collections.abc import Mapping, Sequence

import numpy as np

from retable.errors import ConfigError, DataError
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.datasets.files import Drawing, suggestion


def stratified_split(labels: Sequence[int], shares: Mapping[str, float], seed: int) -> dict[str, list[int]]:
    """Splits samples so that each class is shared out alike, at random but the same for equal seeds.

    Args:
        labels: Class of each sample.
        shares: Relative size of each split; splits of share 0 are left out.
        seed: Of the order in which each class is dealt out.

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
                f"{CLASSES[label]} has {len(members)} drawings, too few to split them into {', '.join(wanted)}: "
                "add drawings, or leave the class out"
            )
        order = np.random.default_rng([seed, int(label)]).permutation(members)
        start = 0
        for name, size in zip(wanted, share_out(len(members), list(wanted.values())), strict=True):
            found[name] += order[start : start + size].tolist()
            start += size
    return {name: sorted(members) for name, members in found.items()}


def share_out(count: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers of at least 1 that add up to `count` and are as the shares, by largest remainders."""
    exact = np.array(shares) / sum(shares) * count
    sizes = np.floor(exact).astype(int)
    for index in np.argsort(sizes - exact, kind="stable")[: count - int(sizes.sum())]:
        sizes[index] += 1
    while (sizes == 0).any():  # a rare class: what has most gives one
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    return [int(size) for size in sizes]


def split_by_hand(
    drawings: Sequence[Drawing], hands: Mapping[str, Sequence[str] | None], val_share: float, seed: int
) -> dict[str, list[int]]:
    """Splits drawings by who drew them, so that a test is on hands that nobody trained on.

    Args:
        drawings: The drawings.
        hands: Hands of ``train``, ``val`` and ``test``. None: for train all that the others leave; for val a share of
            the training drawings, each class alike; for test none.
        val_share: That share.
        seed: As of `stratified_split`.

    Returns:
        Positions in `drawings` by split, ascending; drawings of hands in no list are in none.

    Raises:
        ConfigError: A hand is unknown or in two lists, or the drawings' hands are not known.
        DataError: A class has too few drawings for a share of them.
    """
    known = sorted({drawing.hand for drawing in drawings} - {""})
    if not known:
        raise ConfigError("data.test_hands: who drew the drawings is not known; labels.csv needs the column hand")
    taken: dict[str, str] = {}
    for role, names in hands.items():
        for name in names or ():
            if name not in known:
                raise ConfigError(f"data.{role}_hands: nobody is called {name!r}; {suggestion(name, known)}")
            if name in taken:
                raise ConfigError(f"data.{role}_hands: {name} is in data.{taken[name]}_hands as well")
            taken[name] = role
    if hands["train"] is None:
        taken = {**dict.fromkeys(["", *known], "train"), **taken}
    found: dict[str, list[int]] = {role: [] for role in hands}
    for index, drawing in enumerate(drawings):
        if drawing.hand in taken:
            found[taken[drawing.hand]].append(index)
    if hands["val"] is None and found["train"]:
        pool = found["train"]
        labels = [drawings[index].label for index in pool]
        parts = stratified_split(labels, {"train": 1 - val_share, "val": val_share}, seed)
        found.update({role: [pool[position] for position in parts[role]] for role in ("train", "val")})
    return found
