"""What a stored configuration may build: the classes that configuration files and schemas name, and no others.

The folder of a run may come from a stranger, and whatever a ``_target_`` in it names would be imported and called. So
the whole tree is compared, before anything of it is imported, with what Retable and the papers that the user named
declare: each target by its kind, such as ``network`` or ``optimizer``.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from retable.errors import ConfigError
from retable.run import places
from retable.run.configuration import flatten

_TARGET = "_target_"
_OF_GROUP = ("callbacks",)  # their keys are names that a user may choose, so that the group is the kind


def check_buildable(tree: dict[str, Any], source: Path) -> None:
    """Refuses a stored configuration that names anything which is not declared.

    A target is declared where a file of a ``conf/`` folder or a dataclass of a ``SCHEMAS`` mapping has it, for the key
    under which it stands there.

    Args:
        tree: What a file held, or what was composed of words that it held, resolved.
        source: The file, for the message.

    Raises:
        ConfigError: The message names the first key and target that are refused.
    """
    for key, value in flatten(tree):
        if "${" in str(value):  # a resolver could make a tree of a text, and a stored configuration is resolved
            raise ConfigError(f"{source}: {key}={value}: an interpolation, which no run writes there")
    allowed = _declared(tuple(places.configurations()))
    for key, kind, target in _targets(tree, "", ""):
        if not isinstance(target, str) or target not in allowed.get(kind, ()):
            raise ConfigError(
                f"{source}: {key}: {target} is not built, as no configuration file declares it as a {kind}; if you "
                "trust it, name it in conf/ of a paper's folder, and add papers=FOLDER"
            )


@cache
def _declared(folders: tuple[Path, ...]) -> dict[str, set[str]]:
    """The declared targets of each kind."""
    allowed: dict[str, set[str]] = {}
    for folder in folders:
        for path in folder.rglob("*.yaml"):
            tree = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
            _add(allowed, tree, path.parent.name)
    for name, schema in places.import_schemas():
        group = name.split("/")[-2:][0]  # of a schema in no group its own name
        _add(allowed, OmegaConf.to_container(OmegaConf.structured(schema)), group)
    return allowed


def _add(allowed: dict[str, set[str]], tree: Any, group: str) -> None:
    for _, kind, target in _targets(tree, "", group):
        allowed.setdefault(kind, set()).add(str(target))


def _targets(node: Any, key: str, kind: str) -> Iterator[tuple[str, str, Any]]:
    """Yields key, kind and target of each node that would be built."""
    if isinstance(node, dict):
        if _TARGET in node:
            yield f"{key}.{_TARGET}".lstrip("."), kind, node[_TARGET]
        for name, value in node.items():
            inner = kind if kind in _OF_GROUP else str(name).partition("@")[0]
            yield from _targets(value, f"{key}.{name}".lstrip("."), inner)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _targets(value, f"{key}[{index}]", kind)
