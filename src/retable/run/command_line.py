"""The shell around an entry point: Hydra composes, mistakes become one line each, exit codes mean something.

Exit codes: 0 done; 1 an unexpected failure (with its traceback); 2 configuration; 3 data; 4 checkpoint;
5 the training diverged; 6 storage; 130 interrupted by Ctrl-C, 143 by SIGTERM, others by others
(see `retable.run.interrupts`).
"""

import errno
import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.hydra import Hydra
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigNode, ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from retable.errors import ConfigError, RetableError, StoppedError, StorageError
from retable.run import configuration, interrupts, places
from retable.run import words as grammar

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def main(
    task: Callable[[DictConfig], Any],
    config_name: str,
    about: str,
    *,
    check: Callable[[DictConfig], None] = configuration.check_complete,
    words: Callable[[Sequence[str]], list[str]] = list,
) -> None:
    """Composes the configuration of the command line, checks it, and calls the task with it.

    Args:
        task: What to do with the checked configuration. It imports the heavy packages itself.
        config_name: Name of the primary file in ``conf/``, without ``.yaml``. A name in a folder, ``prepare/prepare``,
            has its configuration groups in that folder, apart from those of a run.
        about: What the entry point does, for ``--help``.
        check: Refuses a composed configuration by raising `ConfigError`.
        words: Puts the words of the command line into Hydra's grammar.

    Raises:
        SystemExit: Always at the end of a failure, with the exit code of its kind (see the module's docstring).
    """

    def read_words() -> None:
        _TYPED[:] = [Path(sys.argv[0]).name, *sys.argv[1:]]
        grammar.check_flags(sys.argv[1:])
        sys.argv[1:] = words(places.without_papers(sys.argv[1:]))

    if (failure := attempt(read_words)) is not None:
        raise SystemExit(failure.exit_code)
    if {"--help", "-h"} & set(sys.argv[1:]):
        try:
            code = show_help(config_name, about)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        raise SystemExit(code)
    interrupts.listen(anew=True)
    prepare()
    failures: list[Failure] = []
    composed = False

    def checked(config: DictConfig) -> None:
        nonlocal composed
        composed = True
        advice = "; the same command with resume=auto goes on from the last epoch" if "resume" in config else ""
        failure = attempt(lambda: _checked(config, check, task), advice)
        if failure is not None:
            failures.append(failure)

    # Hydra would otherwise print its own traceback and leave with 1 for everything
    os.environ["HYDRA_FULL_ERROR"] = "1"
    if not any(word.startswith("hydra.mode=") for word in sys.argv):
        # it would otherwise compose everything twice, the first time only to look for this word
        setattr(Hydra, "get_mode", lambda *_, **__: None)  # noqa: B010
    place = _place(config_name)
    entry = hydra.main(version_base="1.3", config_path=str(place.parent), config_name=place.name)(checked)
    try:
        entry()
    except Exception as error:
        if composed:
            raise
        _tell(explain(error, config_name, sys.argv[1:]))
        raise SystemExit(ConfigError.exit_code) from error
    if failures:
        raise SystemExit(failures[0].exit_code)


_TYPED: list[str] = []


def command() -> str:
    """Returns the command line as it was typed, for records and reports."""
    return shlex.join(["python", *_TYPED])


def _checked(config: DictConfig, check: Callable[[DictConfig], None], task: Callable[[DictConfig], Any]) -> None:
    check(config)
    task(config)


def _place(config_name: str) -> Path:
    """The primary file, without ``.yaml``; its folder is where its groups are looked for."""
    return places.CONFIGURATIONS / config_name


def show_help(config_name: str, about: str) -> int:
    """Prints what an entry point does, the choices of each group, and all keys with their values.

    Hydra's own help composes the configuration once for each group: three times slower, and it lists the schemas.

    Returns:
        Exit code: 0, or that of a configuration error among the overrides that were given beside ``--help``.
    """
    overrides = [word for word in sys.argv[1:] if not word.startswith("-")]
    composed: list[DictConfig] = []
    failure = attempt(lambda: composed.append(compose(config_name, overrides)))
    if failure is not None:
        return failure.exit_code
    print(about)
    folder = _place(config_name).parent
    is_own = folder != places.CONFIGURATIONS  # with groups of its own
    folders = [folder] if is_own else places.configurations()
    is_run = "model" in composed[0]
    keys = sorted(path.name for path in folder.iterdir()) if is_own else (*["debug"] * is_run, *composed[0])
    for key in map(str, keys):
        choices = sorted(path.stem for place in folders for path in (place / key).glob("*.yaml"))
        if choices:
            print(f"{key}={'|'.join(choices)}")
    print("\nKeys and their values (key.subkey=value):\n")
    print(OmegaConf.to_yaml(composed[0]))
    if is_run:
        print("Also -m (one run after another over comma-separated values).")
    print("Also papers=FOLDER (papers outside of Retable), --cfg job (the configuration as it would run).")
    return 0


@dataclass(frozen=True)
class Failure:
    """How a task ended that did not succeed."""

    message: str
    exit_code: int


def attempt(work: Callable[[], Any], if_interrupted: str = "") -> Failure | None:
    """Does some work and turns what the user can act on into one printed line.

    Args:
        work: What to do.
        if_interrupted: What to tell beside ``interrupted``.

    Returns:
        None if it succeeded, else the failure, already told on standard error. Unexpected errors are told with their
        traceback, as they are for developers.
    """
    try:
        work()
    except RetableError as error:
        code = interrupts.exit_code() if isinstance(error, StoppedError) else error.exit_code
        failure = Failure(str(error), code)
    except KeyboardInterrupt:
        failure = Failure(f"interrupted{if_interrupted}", interrupts.exit_code())
    except BrokenPipeError:
        raise SystemExit(0) from None  # the reader of our output has seen enough
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            traceback.print_exc()
        failure = Failure(f"cannot write {error.filename or 'a result'}: {error.strerror}", StorageError.exit_code)
    except Exception as error:
        if interrupts.asked():
            failure = Failure(f"interrupted{if_interrupted}", interrupts.exit_code())
        else:
            traceback.print_exc()
            failure = Failure(f"unexpected {type(error).__name__}: {error}", 1)
    else:
        return None
    _tell(failure.message)
    return failure


def prepare() -> None:
    """Makes schemas, resolvers and the folders of configurations known to Hydra, which composing needs."""
    _prepare(tuple(places.paper_folders()))


@cache
def _prepare(_papers: tuple[Path, ...]) -> None:
    for name, schema in places.import_schemas():
        *folders, option = f"schema/{name}.yaml".split("/")
        group = ConfigStore.instance().repo
        for folder in folders:
            group = group.setdefault(folder, {})
        group[option] = _Schema(option, schema)
    Plugins.instance().register(PaperConfigurations)
    configuration.register_resolvers()


class _Schema(ConfigNode):
    """A schema in Hydra's store, read by OmegaConf only when it is composed: of dozens a command needs a few."""

    def __init__(self, name: str, schema: type) -> None:
        self.name, self.group, self.package, self.provider = name, None, None, None
        self._schema = schema

    @cached_property
    def node(self) -> Any:  # type: ignore[override]
        """The dataclass as a configuration."""
        return OmegaConf.structured(self._schema)


class PaperConfigurations(SearchPathPlugin):
    """Lets Hydra find the configuration groups of papers that live outside (see `retable.run.places`)."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Adds their folders behind Retable's own."""
        for folder in places.configurations()[1:]:
            search_path.append("papers", f"file://{folder}")


def compose(config_name: str, overrides: list[str]) -> DictConfig:
    """Composes a configuration outside an entry point, as tests and tables do (without the ``hydra`` node).

    Raises:
        ConfigError: An override does not fit; the message names the key and the nearest valid one.
    """
    prepare()
    place = _place(config_name)
    outer = GlobalHydra.instance().hydra  # of the entry point that this is called in
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(place.parent), version_base="1.3"):
            return hydra.compose(place.name, overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, config_name, overrides)) from error
    finally:
        GlobalHydra.instance().hydra = outer


def differs_from_paper(config: DictConfig, words: Sequence[str]) -> dict[str, list[Any]]:
    """What a run's budget changes of what is computed, an optimiser as well as a size.

    Args:
        config: The configuration of the run.
        words: The overrides that it was composed of.

    Returns:
        For each such key the value of the run and that under ``budget=paper``; None where there is no such key.
    """
    paper = compose("train", [*(word for word in words if not word.startswith("budget=")), "budget=paper"])
    ours, theirs = configuration.identity(config), configuration.identity(paper)
    keys = sorted(ours.keys() | theirs.keys())
    return {key: [ours.get(key), theirs.get(key)] for key in keys if ours.get(key) != theirs.get(key)}


def explain(error: Exception, config_name: str, overrides: list[str]) -> str:
    """One line for a composition error: the key, what is wrong with it, the nearest valid key."""
    text = "\n".join(str(part) for part in (error, error.__cause__) if part is not None)
    if ours := re.search(r"ConfigError raised while resolving interpolation: (.*)", text):
        return ours.group(1)
    if isinstance(error, MissingConfigException):
        return _explain_option(text)
    if problem := grammar.interpolation_problem(text, overrides):
        return problem
    key = re.search(r"full_key: (\S+)", text) or re.search(r"Could not override '([^']+)'", text)
    if re.search(r"Key '.*' (is not in struct|not in )", text) and key:
        return _explain_key(key.group(1), config_name, overrides)
    if key is None and (problem := next(filter(None, map(grammar.problem, overrides)), None)):
        return problem
    problem = configuration.type_problem(error.__cause__ or error)
    return f"{key.group(1)}: {problem}" if key else f"the command line {' '.join(overrides)!r}: {problem}"


def _explain_option(text: str) -> str:
    found = re.search(r"Could not find '([^']+)'", text)
    if found is None:
        return " ".join(text.splitlines()[0].split())
    group, _, option = found.group(1).rpartition("/")
    options = re.findall(r"^\t(\S+)$", text, flags=re.MULTILINE)
    near = configuration.nearest(option, options)
    hint = f"did you mean {near}? " if near else ""
    return f"{group}: there is no {option!r}; {hint}choose one of {', '.join(options)}"


def _explain_key(key: str, config_name: str, overrides: list[str]) -> str:
    place = _place(config_name)
    groups = [
        word
        for word in overrides
        if re.fullmatch(r"\w+=[\w-]+", word)
        and any(
            (folder / f"{word.replace('=', '/')}.yaml").is_file() for folder in (place.parent, *places.configurations())
        )
    ]
    chosen = [word for word in groups if word.startswith(("model=", "data="))]
    own = next((word for word in chosen if word.startswith(f"{key.partition('.')[0]}=")), None)
    typed = any(word.lstrip("+~").partition("=")[0] == key for word in overrides)
    # a file that composes by itself does not have the key: another one sets it
    if own is not None and len(chosen) > 1 and not typed and _composes(own.replace("=", "/")):
        together = " and ".join(chosen)
        return f"{key}: {together} do not go together, one sets a key that another lacks; choose another data="
    valid: list[str] = []
    try:
        GlobalHydra.instance().clear()
        with hydra.initialize_config_dir(str(place.parent), version_base="1.3"):
            config = hydra.compose(place.name, groups)
        container = OmegaConf.to_container(config, resolve=False)
        assert isinstance(container, dict)
        valid = [name for name, _ in configuration.flatten({str(k): v for k, v in container.items()})]
    except (ConfigCompositionException, OmegaConfBaseException):
        pass  # the nearest key is a courtesy; the error itself is told all the same
    parents = {name.rsplit(".", depth)[0] for name in valid for depth in range(1, name.count(".") + 1)}
    near = configuration.nearest(key, valid + sorted(parents))
    hint = f"; did you mean {near}?" if near else f"; {place.name}.py --help lists the keys"
    return f"{key}: there is no such key{hint}"


def _composes(name: str) -> bool:
    """Whether a file of a group has no fault of its own."""
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(places.CONFIGURATIONS), version_base="1.3"):
            hydra.compose(name)
    except (HydraException, OmegaConfBaseException):
        return False
    return True


def _tell(message: str) -> None:
    sys.stdout.flush()
    print(f"error: {message}", file=sys.stderr)
