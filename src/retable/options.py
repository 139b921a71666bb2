"""Options, each stated once: in a dataclass that is the Hydra schema of a part and the first argument of its class.

A range stands at its field, and both the composed configuration and the dataclass in Python are held to it:

    @dataclass
    class Config(Options):
        lr: float = option(1e-3, above=0)
        schedule: str = option("step", choices=("step", "cosine"))
        widths: list[int] = option([32, 64], least=1)
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from retable.errors import ConfigError

_BOUNDS = "bounds"


@dataclass(frozen=True)
class _Bounds:
    least: float | None
    above: float | None
    most: float | None
    below: float | None
    choices: tuple[Any, ...]

    def hold(self, value: Any) -> bool:
        # written so that NaN holds nowhere
        return (
            (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
            and (not self.choices or value in self.choices)
        )

    def __str__(self) -> str:
        if self.choices:
            return (
                f"must be {' or '.join(filter(None, [', '.join(map(str, self.choices[:-1])), str(self.choices[-1])]))}"
            )
        low = f"{self.least:g}" if self.least is not None else f"above {self.above:g}" if self.above is not None else ""
        high = f"{self.most:g}" if self.most is not None else f"below {self.below:g}" if self.below is not None else ""
        if low and high:
            return f"must be from {low} to {high}"
        if high:
            return f"must be {high}" if self.most is None else f"must be {high} or less"
        return f"must be {low}" if self.least is None else f"must be {low} or more"


def option(
    default: Any = MISSING,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    choices: Sequence[Any] = (),
) -> Any:
    """Returns a dataclass field with a range. None is in every range; of a list each entry is held to it.

    Args:
        default: Value where none is given; without it the option is mandatory. A list or dict is copied.
        least: Smallest value.
        above: Number that the value must be larger than.
        most: Largest value.
        below: Number that the value must be smaller than.
        choices: The possible values.
    """
    metadata = {_BOUNDS: _Bounds(least, above, most, below, tuple(choices))}
    if isinstance(default, list | dict):
        return field(default_factory=lambda: copy(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass
class Options:
    """Base of the dataclasses: one that is made in Python is checked as a composed configuration is."""

    def __post_init__(self) -> None:
        check_ranges(self)


def check_ranges(options: Any, key: str = "") -> None:
    """Refuses values outside of their ranges.

    Args:
        options: A dataclass, or a configuration with nodes that are typed by dataclasses, at any depth.
        key: Dotted key of `options`, for the message.

    Raises:
        ConfigError: The message begins with key and value of the first such option.
    """
    dot = f"{key}." if key else ""
    schema = type(options) if is_dataclass(options) else OmegaConf.get_type(options)
    if is_dataclass(schema):
        for part in fields(schema):
            bounds = part.metadata.get(_BOUNDS)
            if bounds is not None:
                _check_value(f"{dot}{part.name}", _value(options, part.name), bounds)
    if isinstance(options, DictConfig):
        for name in map(str, options):
            if OmegaConf.is_interpolation(options, name):
                continue  # a node that another one refers to is checked in its own place
            child = _value(options, name)
            if isinstance(child, DictConfig):
                check_ranges(child, f"{dot}{name}")


def _check_value(key: str, value: Any, bounds: _Bounds) -> None:
    entries = list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
    for entry in entries:
        open_still = entry is None or (isinstance(entry, str) and (entry == MISSING or "${" in entry))
        if not open_still and not bounds.hold(entry):
            shown = list(value) if entries != [value] else value
            raise ConfigError(f"{key}={shown}: {'each ' if entries != [value] else ''}{bounds}")


def _value(options: Any, name: str) -> Any:
    if not isinstance(options, Mapping):
        return getattr(options, name)
    return None if OmegaConf.is_missing(options, name) or name not in options else options[name]
