"""Random damage with fixed seeds. A few cases of each kind stay in the suite; ``make fuzz`` runs two thousand."""

import os
import random
from typing import Any

import pytest

mark = pytest.mark.fuzz
_PIECES = (
    *(b"1e308", b"nan", b"-", b"9" * 30, b"\0", b"\n", b"<object>", b"</", b"ship ", b"\xff", b"_", b"e5", b".", b"0 "),
    *(b'"', b"{", b"]", b",", b"null", b"true"),
)
_VALUES = (None, True, -1, 0, 2**40, -(10**9), 1e308, float("nan"), float("inf"), "", "1", "nan", [], [1], {}, {"a": 1})


def cases(usual: int) -> int:
    """How many cases to try: as many as usual, or what RETABLE_FUZZ says."""
    return int(os.environ.get("RETABLE_FUZZ", usual))


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Bytes with one to three faults: inserted, left out, flipped, repeated or replaced parts."""
    for _ in range(chance.randint(1, 3)):
        place, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        match chance.randrange(5):
            case 0:
                data = data[:place] + chance.choice(_PIECES) + data[place:]
            case 1:
                data = data[:place] + data[place + chance.randint(1, 9) :]
            case 2:
                data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
            case 3:
                data = data[:end] + data[place:]
            case _:
                old = chance.choice((b"1", b"5", b"ship", b">", b" ", b'"'))
                data = data.replace(old, chance.choice((b"", b"1e30", b"x", b"-1")))
    return data


def altered(chance: random.Random, tree: Any) -> Any:
    """A tree of JSON with one value, at any depth, replaced by another; the tree itself is changed."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in pairs:
            places.append((node, key))
            walk(value)

    walk(tree)
    node, key = chance.choice(places)
    node[key] = chance.choice(_VALUES)
    return tree
