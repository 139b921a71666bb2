"""The words of a command line: what Hydra cannot read is told in one line, with what to type instead."""

import re
import shlex
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from retable.errors import ConfigError

_FLAGS = {
    *("help", "hydra-help", "version", "cfg", "resolve", "package", "run", "multirun", "info"),
    *("shell-completion", "config-path", "config-name", "config-dir", "experimental-rerun"),
}
_SHORT = ("-h", "-c", "-p", "-r", "-m", "-s", "-cp", "-cn", "-cd", "-i")
_OPTIONS = "+options."  # what `predict.py` puts before the options of a model; the user has not typed it


def check_flags(words: Sequence[str]) -> None:
    """Refuses options in the style of other programs, ``--key value``.

    Raises:
        ConfigError: The message says how it is written here.
    """
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if not word.startswith("-") or name in _SHORT or (name.startswith("--") and name[2:] in _FLAGS):
            continue
        if not equals and following and not following.startswith("-") and "=" not in following:
            value = following
        key = name.lstrip("-").replace("-", "_") or "key"
        raise ConfigError(f"{word}: what is set is written key=value here: {key}={value or 'VALUE'}")


def problem(word: str) -> str | None:
    """What is wrong with a word that Hydra has refused, with what to type instead; None if nothing is by itself."""
    word = word.removeprefix(_OPTIONS)
    key, equals, value = word.partition("=")
    if "\n" in word:
        return f"{key}: a value is one line, not {value!r}"
    if not equals:
        return None if word.startswith("~") else f"{word}: what is set is written key=value"
    quoted = shlex.quote(f"{key}={QuotedString(value, Quote.double).with_quotes()}")
    if not value.strip("\"'"):
        return f"{key}={value}: a quote that is not closed; an empty text is {shlex.quote(f'{key}=')}"
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:
        bracket = "close its bracket, or " if re.match(r"[\[({]", value) else ""
        return f"{key}={value}: not every character can stand by itself; {bracket}quote it for both readers: {quoted}"
    if override.is_sweep_override():
        return (
            f"{key}={value}: several values; for train.py -m makes a run of each, a list is "
            f"{shlex.quote(f'{key}=[{value}]')}, one text {quoted}"
        )
    return None


def interpolation_problem(text: str, words: Sequence[str]) -> str | None:
    """What to say of an interpolation that leads nowhere, if the text of an error is about one."""
    found = re.search(r"Interpolation key '([^']*)' not found|[Gg]rammar.*interpolation|token recognition error", text)
    if found is None:
        return None
    given = next((word.removeprefix(_OPTIONS) for word in words if "${" in word), None)
    where = f"{given}: " if given else ""
    name = f"there is no key {found[1]!r}" if found[1] else "what ${...} stands for cannot be read"
    return f"{where}{name}; a dollar sign of the text itself is written \\${{, in single quotes"
