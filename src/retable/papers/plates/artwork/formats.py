"""Numbers of plates, drawn from patterns."""

from __future__ import annotations

from typing import Final

from retable.synthetic.rng import RandomStream

LATIN: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def fill_pattern(rng: RandomStream, pattern: str, letters: str = LATIN) -> str:
    """Replaces each ``@`` of a pattern by one of the letters and each ``0`` by a digit; the rest stays."""
    return "".join(
        rng.choice(letters) if sign == "@" else str(rng.integer(0, 9)) if sign == "0" else sign for sign in pattern
    )


def characters(text: str) -> str:
    """Returns the letters and digits of what a plate shows, without separators."""
    return "".join(letter for letter in text if letter.isalnum())
