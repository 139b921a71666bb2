"""Values that other programs write for Hydra come back as they were."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from retable.run.overrides import quote, quote_list

TEXTS = [
    "/plain/path-1.0_x@y",
    "with space",
    "it's",
    "a,b",
    "k=v",
    r"back\slash",
    "ends in \\",
    r"\'",
    "[x] {y} (z)",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_comes_back(text: str) -> None:
    assert str(OverridesParser.create().parse_override(f"key={quote(text)}").value()) == text


def test_a_list_comes_back() -> None:
    assert [str(part) for part in OverridesParser.create().parse_override(f"key={quote_list(TEXTS)}").value()] == TEXTS
