"""What is asked of a composed configuration before anything heavy is imported: its hash, its gaps, its folder."""

import copy
import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from omegaconf import MISSING, DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from retable.errors import ConfigError
from retable.options import check_ranges
from retable.run.words import interpolation_problem

# Keys that change where or how fast a run happens, not what it computes.
_NOT_IDENTITY = (
    "budget",  # its sizes count where they are used
    "outputs",
    "resume",
    "tags",
    "logger",
    "callbacks.progress",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.num_nodes",
    "trainer.strategy",
    "trainer.sync_batchnorm",
    "trainer.enable_progress_bar",
    "trainer.enable_model_summary",
    "trainer.log_every_n_steps",
    "trainer.profiler",
    "data.workers",
    "data.cache_megabytes",
    "data.check",
    "model.weights",
)


def plain(config: DictConfig) -> dict[str, Any]:
    """The configuration as resolved plain dicts, lists and scalars (enums by name).

    Raises:
        ConfigError: An interpolation in it names a key that does not exist.
    """
    try:
        container = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    except OmegaConfBaseException as error:
        where = f"{error.full_key}: " if error.full_key else ""
        first = str(error).splitlines()[0]
        raise ConfigError(f"{where}{interpolation_problem(first, ()) or type_problem(error)}") from error
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def stored(config: DictConfig) -> dict[str, Any]:
    """The configuration as a run keeps it: as of `plain`; a budget's sizes stand where they are used only."""
    return {**plain(config), "budget": {"name": config.budget.name}}


def flatten(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the leaves of nested dicts as (dotted key, value)."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, prefix + str(key) + ".")
        else:
            yield prefix + str(key), value


def identity(config: DictConfig) -> dict[str, Any]:
    """The flat part of a configuration that decides what is computed.

    Paths, loggers and devices are left out, so that the same run on another machine is the same run. Of a path only
    whether it is given counts: real files and generated scenes are different data.
    """
    flat = dict(flatten(plain(config)))
    kept = {
        key: value
        for key, value in flat.items()
        if not any(key == name or key.startswith(f"{name}.") for name in _NOT_IDENTITY)
    }
    if "data.root" in kept:
        kept["data.root"] = None if kept["data.root"] is None else "given"
    weights = flat.get("model.weights")
    if weights is not None:
        kept["model.weights"] = Path(str(weights)).name
    return kept


def config_hash(config: DictConfig) -> str:
    """Twelve hexadecimal digits that name what a configuration computes (see `identity`)."""
    return hash_of(identity(config))


def hash_of(values: dict[str, Any]) -> str:
    """The hash of a configuration, of what `identity` returned."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]


def check_complete(config: DictConfig) -> None:
    """Refuses a configuration with missing values, interpolations that lead nowhere, or values out of their ranges.

    Raises:
        ConfigError: The message names the first such key.
    """
    unresolved = cast(dict[str, Any], OmegaConf.to_container(config))
    missing = sorted(key for key, value in flatten(unresolved) if value == MISSING)
    if missing:
        wanted = " ".join(f"{key}=VALUE" for key in missing)
        raise ConfigError(f"{', '.join(missing)}: no value; add {wanted} to the command line")
    plain(config)
    if config.get("outputs") == "":
        raise ConfigError("outputs: give the folder that everything is written to")
    check_ranges(config)


def check_known(config: DictConfig) -> None:
    """Refuses keys that ``+key=value`` added to a node whose schema does not have them.

    Raises:
        ConfigError: The message names the first such key and the nearest valid one.
    """
    for key, node in config.items_ex(resolve=False):
        schema = OmegaConf.get_type(node)
        if not isinstance(node, DictConfig) or not is_dataclass(schema):
            continue
        known = [field.name for field in fields(schema)]
        for name in node:
            if name not in known:
                near = nearest(str(name), known)
                hint = f"; did you mean {key!s}.{near}?" if near else ""
                raise ConfigError(f"{key!s}.{name!s}: there is no such key{hint}")


def check_task(config: DictConfig) -> None:
    """Refuses a model on data of another task, where the schemas of both say which it is.

    Raises:
        ConfigError: They differ.
    """
    learns, brings = (getattr(OmegaConf.get_type(config, key), "task", None) for key in ("model", "data"))
    if None not in (learns, brings) and learns != brings:
        raise ConfigError(
            f"data: it brings {brings}, and the model learns from {learns}; choose another data=, or model="
        )


def check_run(config: DictConfig) -> None:
    """Refuses the configuration of a run that has gaps or values that cannot work.

    Raises:
        ConfigError: A mandatory value is missing, or a key has an impossible value.
    """
    check_task(config)
    check_complete(config)
    check_known(config)
    root = OmegaConf.select(config, "data.root")
    if root is not None and not Path(str(root)).expanduser().is_dir():
        raise ConfigError(f"data.root: there is no folder {root!s}")
    if config.trainer.max_epochs is None and config.trainer.max_steps < 0:
        raise ConfigError("trainer.max_epochs has no value: give it, or trainer.max_steps")
    for key in ("trainer.max_epochs", "trainer.check_val_every_n_epoch", "trainer.num_nodes"):
        value = OmegaConf.select(config, key)
        if value is not None and value < 1:
            raise ConfigError(f"{key} must be at least 1, not {value}")


# How OmegaConf words a value of the wrong type, and how we do.
_TYPE_PROBLEMS = (
    (r"Value '(.*)' of type '.*' could not be converted to Float", "{0!r} is not a number"),
    (r"Value '(.*)' of type '.*' could not be converted to Integer", "{0!r} is not a whole number"),
    (r"Value '(.*)' is not a valid bool", "{0!r} is neither true nor false"),
    (r"Invalid value '(.*)', expected one of \[(.*)\]", "{0!r} is not one of {1}"),
    (r"Invalid value assigned: (\w+) is not a ListConfig", "a list is needed, as in KEY=[1,2]"),
    (r"field '(\w+)' is not Optional", "null is not allowed"),
)


def type_problem(error: BaseException) -> str:
    """What OmegaConf says of a value of the wrong type, in a user's words."""
    text = str(error).splitlines()[0]
    for pattern, meaning in _TYPE_PROBLEMS:
        if found := re.match(pattern, text):
            return meaning.format(*found.groups())
    return text


def nearest(word: str, candidates: list[str]) -> str | None:
    """The candidate that is most like a mistyped word, or None when none is near."""
    matches = difflib.get_close_matches(word, candidates, n=1, cutoff=0.5)
    return matches[0] if matches else None


def run_folder(*, _root_: DictConfig) -> str:
    """Folder of a run below ``outputs/runs``: a new one, or under ``resume=auto`` the newest unfinished one.

    Hydra resolves its run folder more than once, so the answer for a configuration is kept.
    """
    config = copy.copy(_root_)  # keeps its schema
    with open_dict(config):
        del config["hydra"]
    check_run(config)  # before Hydra makes a folder for it
    key = config_hash(config)
    if key not in _FOLDERS:
        choices = _root_.hydra.runtime.choices
        fresh = f"{choices.model}-{choices.data}/{datetime.now():%Y-%m-%d_%H-%M-%S}-{key[:6]}"
        _FOLDERS[key] = (config.resume.name == "auto" and unfinished_run(Path(config.outputs), key)) or fresh
    return _FOLDERS[key]


_FOLDERS: dict[str, str] = {}


def unfinished_run(outputs: Path, key: str) -> str | None:
    """Newest folder below ``outputs/runs`` that holds a run of this hash without a record, relative to it."""
    runs = outputs / "runs"
    found = [
        path.parent for path in runs.glob(f"*/*-{key[:6]}/config.yaml") if not (path.parent / "record.json").exists()
    ]
    if not found:
        return None
    return str(max(found, key=lambda folder: folder.stat().st_mtime).relative_to(runs))


def register_resolvers() -> None:
    """Makes ``${retable.run_folder:}`` known to OmegaConf."""
    OmegaConf.register_new_resolver("retable.run_folder", run_folder, replace=True)
