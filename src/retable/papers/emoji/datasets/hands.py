"""Splits by the hands that drew, so that a test is on hands that nobody trained on."""

from collections.abc import Mapping, Sequence

from retable.data.splits import stratified_split
from retable.errors import ConfigError
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.datasets.files import Drawing, suggestion


def split_by_hand(
    drawings: Sequence[Drawing], hands: Mapping[str, Sequence[str] | None], val_share: float, seed: int
) -> dict[str, list[int]]:
    """Splits drawings by who drew them.

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
        parts = stratified_split(labels, {"train": 1 - val_share, "val": val_share}, seed, CLASSES)
        found.update({role: [pool[position] for position in parts[role]] for role in ("train", "val")})
    return found
