"""What ``sweep.py`` is asked, read and checked before anything starts; neither torch nor Optuna is needed for it."""

import hashlib
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from retable.errors import ConfigError
from retable.run import places
from retable.run.composer import Composer
from retable.run.configuration import check_run, identity, nearest
from retable.run.overrides import quote
from retable.search import space as spaces
from retable.search.schema import SweepConfig
from retable.search.space import Space
from retable.tables.engines import Job

_OWN = tuple(field.name for field in fields(SweepConfig))
TRIALS = "trials"
_SPACE = "space."
_OURS = {
    "hydra.run.dir": "each trial has a folder of its own",
    "resume": "trials that were interrupted go on by themselves",
    "logger.csv": "the search reads each trial's metrics.csv",
}


@dataclass(frozen=True)
class Words:
    """The command line of ``sweep.py``."""

    own: tuple[str, ...]  # words whose keys ``conf/sweep.yaml`` has, and flags
    space: tuple[tuple[str, str], ...]  # what is searched, as written: (key, text)
    overrides: tuple[str, ...]  # all other words: overrides of ``train.py``


def divide(arguments: Sequence[str]) -> Words:
    """Tells the words of ``sweep.py`` from those of ``train.py``."""
    own, space, overrides = [], [], []
    for word in arguments:
        key, _, value = word.partition("=")
        if key.startswith(_SPACE):
            space.append((key.removeprefix(_SPACE), value))
        elif word.startswith("-") or _part(key) in _OWN:
            own.append(word)
        else:
            overrides.append(word)
    return Words(tuple(own), tuple(space), tuple(overrides))


@dataclass(frozen=True)
class Request:
    """A search that can be run."""

    name: str
    outputs: Path  # the folder that everything is written to
    space: Space  # what is searched
    texts: dict[str, str]  # the same as written, without blanks
    overrides: tuple[str, ...]  # what is fixed for every trial, the seed included
    fixed: dict[str, Any]  # the flat configuration of what is fixed, by which another search is told from this one
    models: tuple[str, ...]  # import paths of the models that are searched over; mostly one
    devices: int  # how many GPUs (or CPU processes) a trial asks for
    program: Path  # what a trial runs

    @cached_property
    def folder(self) -> Path:
        """The search's folder."""
        return self.outputs / "sweeps" / self.name

    def trial_folder(self, number: int) -> Path:
        """The folder of a trial, which is that of its run."""
        return self.folder / TRIALS / str(number)

    def job(self, number: int, values: Mapping[str, str]) -> Job:
        """What to run for a trial."""
        folder = self.trial_folder(number)
        command = (
            sys.executable,
            str(self.program),
            *self._words(values),
            f"outputs={quote(str(self.outputs))}",
            f"hydra.run.dir={quote(str(folder))}",
            "resume=auto",
            "logger.csv=true",
            f"logger.group={quote(f'sweeps/{self.name}')}",
        )
        return Job(f"{self.name}-{number}", folder, command, self.devices)

    def command(self, values: Mapping[str, str]) -> str:
        """The command line that makes a run with a trial's values, in a folder of its own."""
        program = "train.py" if self.program == places.program("train") else str(self.program)
        return shlex.join(["python", program, *self._words(values)])

    def _words(self, values: Mapping[str, str]) -> list[str]:
        return [*places.papers_word(), *self.overrides, *_pairs(values)]


def read(config: DictConfig, words: Words) -> Request:
    """Reads and checks what is asked: every end and every choice of the space has to compose.

    Raises:
        ConfigError: A key or value is wrong; the message names it.
    """
    if config.n_trials < 1:
        raise ConfigError(f"n_trials must be at least 1, not {config.n_trials}")
    if config.metric is not None and not config.metric.startswith("val/"):
        raise ConfigError(
            f"metric: {config.metric!r} is no validation metric (val/NAME); who chooses values by the test metric "
            "has no test set any more"
        )
    if not config.outputs:
        raise ConfigError("outputs: give the folder that searches are written to")
    program = Path(config.program).expanduser().absolute() if config.program else places.program("train")
    if not program.is_file():
        raise ConfigError(f"program: there is no file {program}")
    texts = _texts(words)
    space = {key: spaces.parse(key, text) for key, text in texts.items()}
    overrides = (*words.overrides, f"seed={config.seed}")
    composer = Composer()
    base = _checked(composer, overrides)
    examples = (_checked(composer, (*overrides, *_pairs(values))) for values in spaces.examples(space))
    models = {str(example.model.get("_target_")) for example in examples}
    searched = tuple(f"{key}." for key in space)  # a group's keys with it
    fixed = {key: value for key, value in identity(base).items() if not f"{key}.".startswith(searched)}
    devices = base.trainer.devices
    name = config.name if config.name is not None else _default_name(config, words, texts, fixed)
    if not re.fullmatch(r"[\w.+@-]+", name) or name in (".", ".."):
        raise ConfigError(f"name: {name!r} cannot name a folder; letters, digits and any of . _ + - @ are allowed")
    return Request(
        name,
        Path(config.outputs).expanduser().absolute(),
        space,
        texts,
        overrides,
        fixed,
        tuple(sorted(models)),
        devices if isinstance(devices, int) and devices > 0 else 1,
        program,
    )


def _texts(words: Words) -> dict[str, str]:
    texts = {key: "".join(text.split()) for key, text in words.space}
    given = [word.partition("=")[0].lstrip("+") for word in words.overrides]
    if "space" in given or not texts:
        raise ConfigError(f'space: name a key to search, such as space.model.lr="log(1e-4,1e-1)" ({spaces.GRAMMAR})')
    for key in texts:
        if not re.fullmatch(r"\w+(\.\w+)*", key):
            raise ConfigError(f"space.{key}: {key!r} is no key of train.py; its --help lists them")
        if [name for name, _ in words.space].count(key) > 1:
            raise ConfigError(f"space.{key}: given twice")
        if key in given:
            raise ConfigError(f"{key}: both fixed and searched; leave out {key}=... or space.{key}=...")
    for key in (*given, *texts):
        if key in _OURS:
            raise ConfigError(f"{key}: {_OURS[key]}; leave it out")
        if key in texts and _part(key) in _OWN:
            raise ConfigError(f"space.{key}: {_part(key)} is a key of sweep.py itself and cannot be searched")
    return texts


def _checked(composer: Composer, overrides: Sequence[str]) -> DictConfig:
    try:
        config = composer.compose(overrides)
        check_run(config)
    except ConfigError as error:
        # a mistyped key of our own has become an override
        key, _, problem = str(error).partition(":")
        near = nearest(key, list(_OWN))
        if problem.startswith(" there is no such key") and near is not None:
            raise ConfigError(f"{key}: there is no such key; did you mean {near}?") from error
        raise
    return config


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]


def _default_name(config: DictConfig, words: Words, texts: Mapping[str, str], fixed: Mapping[str, Any]) -> str:
    """The model, the data, and eight digits that change with whatever makes it another search."""
    direction = config.direction and config.direction.name
    text = json.dumps([fixed, texts, config.metric, direction], sort_keys=True, default=str)
    digits = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{_option('model', words, texts)}-{_option('data', words, texts)}-{digits}"


def _option(group: str, words: Words, texts: Mapping[str, str]) -> str:
    if group in texts:
        return "any"
    defaults = OmegaConf.load(places.CONFIGURATIONS / "train.yaml").defaults
    chosen = [str(entry[group]) for entry in defaults if isinstance(entry, DictConfig) and group in entry]
    chosen += [word.partition("=")[2] for word in words.overrides if word.startswith(f"{group}=")]
    return re.sub(r"[^\w.+-]", "_", chosen[-1])


def _part(key: str) -> str:
    """The first part of a key, without a plus or tilde before it."""
    return key.lstrip("+~").partition(".")[0]
