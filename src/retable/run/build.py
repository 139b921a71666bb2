"""Building what a configuration names by ``_target_``.

A class (or function) whose first parameter is annotated with a dataclass takes its options as that dataclass: the node
is checked against it, whatever the node comes from (a composed configuration, or the file that a run has left), and
nodes with a ``_target_`` inside of it are built first. Everything else is called by Hydra with the node's keys.
"""

import inspect
import logging
import sys
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, cast

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from retable.errors import ConfigError, RetableError
from retable.options import check_ranges
from retable.run.configuration import type_problem

logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)  # what it cannot import is told by the error


def build(config: DictConfig, **arguments: Any) -> Any:
    """Builds an object from its ``_target_`` and keys; other nested nodes become plain containers.

    Args:
        config: A node with ``_target_``; with ``_partial_: true`` what is built is still to be called.
        arguments: Further arguments of the target.

    Raises:
        RetableError: What the target itself raised for the user, unchanged.
        ConfigError: The target does not exist, does not take these keys, or a value is not in its range.
    """
    return _build(config, config._get_full_key(None), arguments)


def _build(config: DictConfig, key: str, arguments: dict[str, Any]) -> Any:
    target = _locate(config["_target_"], key)
    schema = options_of(target)
    if schema is None:
        return _instantiate(config, arguments)
    options = _options(config, schema, key)
    if config.get("_partial_"):
        return partial(target, options, **arguments)
    return target(options, **arguments)


def build_options(config: DictConfig, schema: type) -> Any:
    """Makes the dataclass that a node without a ``_target_`` is the options of.

    Args:
        config: A node, perhaps of a file, so that its keys and values are not yet known to fit.
        schema: The dataclass.

    Raises:
        ConfigError: A key is unknown, or a value is of the wrong type or not in its range.
    """
    return _options(config, schema, "")


def options_of(target: Any) -> type | None:
    """The dataclass that a class or function takes as its first argument, or None if it takes something else."""
    try:
        parameters = list(inspect.signature(target).parameters.values())
        annotation = parameters[0].annotation if parameters else None
        if isinstance(annotation, str):  # its module postpones annotations
            annotation = eval(annotation, vars(sys.modules[target.__module__]))
    except (NameError, TypeError, ValueError):  # built-in functions have no signature
        return None
    return annotation if isinstance(annotation, type) and is_dataclass(annotation) else None


def _locate(path: str, key: str) -> Any:
    try:
        return get_object(path)
    except Exception as error:  # whatever importing a module of the user's raises
        cause = error.__cause__ or error
        hint = "" if path.startswith("retable.") else "; where a paper outside of Retable has it, add papers=FOLDER"
        raise ConfigError(f"{key}._target_: {path} cannot be imported ({cause}){hint}") from error


def _options(config: DictConfig, schema: type, key: str) -> Any:
    """The dataclass of a node, with what its nodes name by ``_target_`` built."""
    if OmegaConf.get_type(config) is not schema:
        try:
            options = {part.name for part in fields(schema)}
            plain = {
                key: value
                for key, value in cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)).items()
                if key in options or not str(key).startswith("_")  # what tells how to build is no option
            }
            config = cast(DictConfig, OmegaConf.merge(OmegaConf.structured(schema), plain))
        except OmegaConfBaseException as error:
            name = ".".join(filter(None, [key, str(getattr(error, "full_key", None) or "")]))
            raise ConfigError(f"{name}: {type_problem(error)}") from error
    for name in sorted(OmegaConf.missing_keys(config)):
        full = f"{key}.{name}" if key else name
        raise ConfigError(f"{full}: no value; add {full}=VALUE")
    check_ranges(config, key)
    dot = f"{key}." if key else ""
    names = [part.name for part in fields(schema) if part.init and not part.name.startswith("_")]
    return schema(**{name: _value(config[name], f"{dot}{name}") for name in names})


def _value(value: Any, key: str) -> Any:
    if isinstance(value, DictConfig):
        if value.get("_target_") is not None:
            return _build(value, key, {})
        schema = OmegaConf.get_type(value)
        if is_dataclass(schema):
            return _options(value, cast(type, schema), key)
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _instantiate(config: DictConfig, arguments: dict[str, Any]) -> Any:
    try:
        return instantiate(config, _convert_="all", **arguments)
    except InstantiationException as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, RetableError):
                raise cause from None
            cause = cause.__cause__
        if error.__cause__ is None or isinstance(error.__cause__, (ImportError, AttributeError, TypeError)):
            text = str(error).split(", set env var")[0].splitlines()[0]
            raise ConfigError(f"{config.get('_target_')}: {text} ({error.__cause__})") from error
        raise
