"""Issuing countries, the languages that follow from them, and the classes: a country with a layout.

The conclusion of the paper names six countries: India, USA, EU, TR, KSA and UAE. With one and two lines each, but for
the USA, where two lines are not in use, these are its 11 classes. Table IV has South America too ("SA"): Brazil.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from retable.classification.subject import ClassList
from retable.errors import ConfigError

COUNTRIES = {
    "us": "USA",
    "eu": "Europe",
    "tr": "Turkey",
    "in": "India",
    "uae": "Emirates",
    "ksa": "Saudi Arabia",
    "br": "Brazil",
}
"""The countries by the code that manifests and class names use."""

LANGUAGES = {
    "us": "english",
    "eu": "latin",
    "tr": "turkish",
    "in": "english",
    "uae": "arabic",
    "ksa": "arabic",
    "br": "portuguese",
}
"""The paper infers the language from the country and does not list them. Europe's plates show Latin letters of no one
language; those of the Emirates and Saudi Arabia show Arabic beside Latin."""

CLASSES = tuple(f"{country}_{lines}" for country in COUNTRIES for lines in (1, 2) if (country, lines) != ("us", 2))

_SYNONYMS = {"ind": "in", "usa": "us", "are": "uae", "sau": "ksa", "bra": "br", "tur": "tr", "sa": "br"}
_LINES = {1: "one line", 2: "two lines"}


def country_code(word: str) -> str | None:
    """Returns the code of a country that a user wrote, such as ``US`` or ``IND``, or None where it is unknown."""
    code = word.strip().lower()
    code = _SYNONYMS.get(code, code)
    return code if code in COUNTRIES else None


def class_parts(name: str) -> tuple[str, int] | None:
    """Returns country code and lines of a class name, such as ``eu_2``; None where it is of another form."""
    found = re.fullmatch(r"([a-z]+)_([12])", name)
    return (found[1], int(found[2])) if found else None


def class_list(names: Sequence[str]) -> ClassList:
    """Returns classes of these names.

    Raises:
        ConfigError: A name is no country with 1 or 2 lines.
    """
    titles, captions = [], []
    for name in names:
        parts = class_parts(name)
        if parts is None:
            raise ConfigError(
                f"data.classes: {name!r} is no class; use a country's code, an underscore and 1 or 2 lines, such as "
                f"{CLASSES[0]}"
            )
        country, lines = parts
        titles.append(f"{COUNTRIES.get(country, country.upper())}, {_LINES[lines]}")
        captions.append(f"{country.upper()} {lines}")
    return ClassList(tuple(names), tuple(titles), tuple(captions), groups(names))


def groups(names: Sequence[str]) -> dict[str, list[str]]:
    """Returns what else a class tells: country, language and layout of each of the classes.

    A country that is not in `LANGUAGES` has a language of its own.
    """
    parts = [class_parts(name) for name in names]
    known = [part for part in parts if part is not None]
    return {
        "country": [country for country, _ in known],
        "language": [LANGUAGES.get(country, country) for country, _ in known],
        "layout": [f"{lines}" for _, lines in known],
    }
