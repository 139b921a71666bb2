"""Overrides for Hydra that other programs write: what would be read as grammar is quoted."""

import re

from hydra.core.override_parser.types import Quote, QuotedString


def quote(text: str) -> str:
    """A value for Hydra that stands for a text as it is: itself if it is plain, else in single quotes."""
    return text if re.fullmatch(r"[\w./:*@+-]+", text) else QuotedString(text, Quote.single).with_quotes()


def quote_list(texts: list[str]) -> str:
    """A list of texts for Hydra."""
    return f"[{','.join(map(quote, texts))}]"
