"""The space that is searched: what ``space.model.lr="log(1e-4,1e-1)"`` and its like mean.

log(a,b)        real, equally likely in every decade
uniform(a,b)    real; also float(a,b)
int(a,b)        whole, both ends included; int(a,b,step) from a in steps
choice(a,b,c)   one of these, as they would stand on the command line of train.py
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from retable.errors import ConfigError

if TYPE_CHECKING:
    from optuna.trial import Trial

GRAMMAR = "log(a,b), uniform(a,b), int(a,b), int(a,b,step), choice(a,b,c)"


@dataclass(frozen=True)
class Real:
    """A real number in [low, high]."""

    low: float
    high: float
    log: bool


@dataclass(frozen=True)
class Whole:
    """A whole number: low, low + step, ..., high."""

    low: int
    high: int
    step: int


@dataclass(frozen=True)
class Choice:
    """One of some values, each in Hydra's grammar."""

    options: tuple[str, ...]


Dimension = Real | Whole | Choice
Space = Mapping[str, Dimension]


def parse(key: str, text: str) -> Dimension:
    """Reads what is searched for one key.

    Raises:
        ConfigError: The text is not in the grammar; the message names the key.
    """
    found = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", text, flags=re.DOTALL)
    kind = found.group(1) if found else ""
    if found is None or kind not in _KINDS:
        _refuse(key, f"{text!r} is none of {GRAMMAR}")
    return _KINDS[kind](key, kind, _split(key, found.group(2)))


def suggest(space: Space, trial: Trial) -> dict[str, str]:
    """A trial's value for each key, as it stands on the command line; those that it already has stay."""
    return {key: _suggest(dimension, trial, key) for key, dimension in space.items()}


def _suggest(dimension: Dimension, trial: Trial, key: str) -> str:
    match dimension:
        case Real(low, high, log):
            return repr(trial.suggest_float(key, low, high, log=log))
        case Whole(low, high, step):
            return str(trial.suggest_int(key, low, high, step=step))
        case Choice(options):
            return str(trial.suggest_categorical(key, options))


def examples(space: Space) -> list[dict[str, str]]:
    """Few sets of values in which every example of every dimension occurs."""
    all_values = {key: _examples(dimension) for key, dimension in space.items()}
    count = max((len(values) for values in all_values.values()), default=0)
    return [{key: values[i % len(values)] for key, values in all_values.items()} for i in range(count)]


def _examples(dimension: Dimension) -> tuple[str, ...]:
    """Values that have to compose for all to do; of a real one also one between the ends that is not whole."""
    match dimension:
        case Real(low, high):
            return repr(low), repr(low + (high - low) / math.pi), repr(high)
        case Whole(low, high):
            return str(low), str(high)
        case Choice(options):
            return options


def _real(key: str, kind: str, parts: Sequence[str]) -> Real:
    if len(parts) != 2:
        _refuse(key, f"{kind}(a,b) has two ends, not {len(parts)}")
    low, high = (_number(key, part) for part in parts)
    if not low < high:
        _refuse(key, f"the low end of {kind}({','.join(parts)}) must be below its high end")
    if kind == "log" and low <= 0:
        _refuse(key, f"both ends of log(a,b) must be above 0, not {parts[0]}")
    return Real(low, high, log=kind == "log")


def _whole(key: str, kind: str, parts: Sequence[str]) -> Whole:
    if len(parts) not in (2, 3):
        _refuse(key, f"int(a,b) or int(a,b,step) has two or three numbers, not {len(parts)}")
    for part in parts:
        if not re.fullmatch(r"[+-]?\d+", part):
            _refuse(key, f"{part!r} is not a whole number")
    low, high, step = (*(int(part) for part in parts), 1)[:3]
    if step < 1:
        _refuse(key, f"the step of int(a,b,step) must be at least 1, not {step}")
    if low + step > high:
        _refuse(key, f"int({','.join(parts)}) holds fewer than two values")
    return Whole(low, high - (high - low) % step, step)


def _choice(key: str, kind: str, parts: Sequence[str]) -> Choice:
    if len(parts) < 2 or len(set(parts)) < len(parts) or "" in parts:
        _refuse(key, f"choice({','.join(parts)}) needs two or more different values")
    return Choice(tuple(parts))


_Reader = Callable[[str, str, Sequence[str]], Dimension]
_KINDS: dict[str, _Reader] = {"log": _real, "uniform": _real, "float": _real, "int": _whole, "choice": _choice}


def _number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        _refuse(key, f"{text!r} is not a number")
    return number


def _split(key: str, text: str) -> list[str]:
    """Splits at the commas that are in no brackets and quotes."""
    parts, quote, depth = [""], "", 0
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == "," and not quote and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if quote or depth:
        _refuse(key, f"a quote or bracket in {text!r} is not closed")
    return [part.strip() for part in parts]


def _refuse(key: str, problem: str) -> NoReturn:
    raise ConfigError(f"space.{key}: {problem}")
