"""YAML that remembers where each value stands, so that a message can name file and line."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from retable.errors import ConfigError
from retable.run.configuration import nearest


class Node:
    """A value of a YAML file with its place.

    What reads it raises a ConfigError that begins with file and line, where it is something else.

    Args:
        path: The file.
        node: The node as PyYAML composed it.
    """

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self.path = path
        self._node = node

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self._node.start_mark.line) + 1

    def refuse(self, problem: str) -> NoReturn:
        """Says what is wrong here, as a ConfigError."""
        raise ConfigError(f"{self.path}:{self.line}: {problem}")

    def items(self, what: str, known: Sequence[str] = ()) -> dict[str, "Node"]:
        """The entries of a mapping, each key once and one of those known, if any are given."""
        if not isinstance(self._node, yaml.MappingNode):
            self.refuse(f"{what} must be a mapping (key: value)")
        found: dict[str, Node] = {}
        for key, value in self._node.value:
            name = str(key.value)
            if name in found:
                Node(self.path, key).refuse(f"{name!r} is there twice")
            found[name] = Node(self.path, value)
            if known and name not in known:
                found[name].refuse(f"there is no key {name!r}{hint(name, known, 'keys:')}")
        return found

    def entries(self, what: str) -> list["Node"]:
        """The entries of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            self.refuse(f"{what} must be a list (lines that begin with -)")
        return [Node(self.path, value) for value in self._node.value]

    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self._node, yaml.MappingNode)

    def scalar(self) -> Any:
        """A text, number, truth value or None."""
        if not isinstance(self._node, yaml.ScalarNode):
            self.refuse("one value is needed here, not a list or mapping")
        return yaml.constructor.SafeConstructor().construct_object(self._node)

    def source(self) -> str:
        """The text of a scalar as it stands in the file."""
        return str(self._node.value)

    def text(self, what: str) -> str:
        """A text that is not empty."""
        if not isinstance(self._node, yaml.ScalarNode) or not self.source().strip():
            self.refuse(f"{what} must be a text")
        return self.source().strip()

    def number(self, what: str) -> float:
        """A finite number."""
        value = self.scalar()
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
            self.refuse(f"{what} must be a number, not {self.source()!r}")
        return float(value)

    def number_with_spread(self, what: str) -> tuple[float, float | None]:
        """A finite number, and its standard deviation where it is written as ``81.2 +- 0.3`` or ``81.2 ± 0.3``."""
        if not isinstance(self._node, yaml.ScalarNode) or not re.search(r"\+-|±", self.source()):
            return self.number(what), None
        found = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)\s*(?:\+-|±)\s*(\d+(?:\.\d+)?)", self.source().strip())
        if found is None:
            self.refuse(f"{what} must be a number or a mean and a deviation such as 81.2 +- 0.3, not {self.source()!r}")
        return float(found[1]), float(found[2])

    def choice(self, what: str, choices: tuple[str, ...]) -> str:
        """One of some words."""
        if not isinstance(self._node, yaml.ScalarNode) or self.source() not in choices:
            self.refuse(f"{what} must be {' or '.join(choices)}")
        return self.source()


def hint(word: str, known: Iterable[str], otherwise: str = "there are") -> str:
    """What to say after an unknown word: the known one that it is nearest to, else all."""
    known = list(dict.fromkeys(known))
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else f"; {otherwise} {', '.join(known)}"


def load(path: Path) -> Node:
    """Reads a YAML file.

    Raises:
        ConfigError: It cannot be read, is empty, or is no YAML; the message names the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            node = yaml.compose(file, Loader=_LOADER)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{path}{place}: not valid YAML ({problem})") from error
    if node is None:
        raise ConfigError(f"{path}: the file is empty")
    return Node(path, node)


# libyaml where PyYAML was built with it: five times faster
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
