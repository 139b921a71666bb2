"""Where configurations, tables and packages are: Retable's own, and those of papers that live outside of it.

A paper's folder holds ``conf/`` (configuration groups), ``experiments/`` (tables) and a package. The word
``papers=FOLDER`` of any entry point, or the variable RETABLE_PAPERS, names one or several (``A:B``); what they hold
appears beside what is built in.
"""

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import retable
from retable.errors import ConfigError

VARIABLE = "RETABLE_PAPERS"
_WORD = "papers="
_PACKAGE = Path(retable.__file__).parent
_CHECKOUT = _PACKAGE.parents[1]
_IS_CHECKOUT = (_CHECKOUT / "conf" / "train.yaml").is_file()
_HOME = _CHECKOUT if _IS_CHECKOUT else _PACKAGE  # an installed package has conf/ and experiments/ inside of it
CONFIGURATIONS = _HOME / "conf"
EXPERIMENTS = _HOME / "experiments"


def program(name: str) -> Path:
    """Returns the script of an entry point, such as ``train``."""
    return _CHECKOUT / f"{name}.py" if _IS_CHECKOUT else _PACKAGE / "commands" / f"{name}.py"


def without_papers(arguments: Sequence[str]) -> list[str]:
    """Takes up the paper folders that a command line names, and returns its other words.

    Raises:
        ConfigError: There is no such folder, or none of what a paper's folder holds is in it.
    """
    given = [word.removeprefix(_WORD) for word in arguments if word.startswith(_WORD)]
    if given:
        folders = [Path(part).expanduser().absolute() for part in given[-1].split(os.pathsep) if part]
        os.environ[VARIABLE] = os.pathsep.join(map(str, folders))  # for the processes that this one starts as well
    for folder in paper_folders():
        if not folder.is_dir():
            raise ConfigError(f"papers: there is no folder {folder}")
        if not any((folder / name).is_dir() for name in ("conf", "experiments")):
            raise ConfigError(f"papers: {folder} is no paper's folder, it has neither conf/ nor experiments/")
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    return [word for word in arguments if not word.startswith(_WORD)]


def paper_folders() -> list[Path]:
    """Returns the folders of papers that live outside, in the order given."""
    return [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]


def papers_word() -> list[str]:
    """Returns the word that names the same paper folders on another command line; none where there are none."""
    return [f"{_WORD}{os.environ[VARIABLE]}"] if paper_folders() else []


def configurations() -> list[Path]:
    """Returns the folders of configuration groups, Retable's own first."""
    return [CONFIGURATIONS, *(path for folder in paper_folders() if (path := folder / "conf").is_dir())]


def experiments() -> list[Path]:
    """Returns the folders of tables, Retable's own first."""
    return [EXPERIMENTS, *(path for folder in paper_folders() if (path := folder / "experiments").is_dir())]


def schema_files() -> Iterator[tuple[str, Path]]:
    """Yields import path and file of all modules named ``schema``, in which packages say what may be set."""
    packages = [_PACKAGE, *(path.parent for folder in paper_folders() for path in sorted(folder.glob("*/__init__.py")))]
    for package in packages:
        for path in sorted(package.rglob("schema.py")):
            yield ".".join(path.relative_to(package.parent).with_suffix("").parts), path


def import_schemas() -> Iterator[tuple[str, type]]:
    """Yields name and dataclass of all schemas: those of the mappings ``SCHEMAS`` of all schema modules."""
    for name, _ in schema_files():
        yield from importlib.import_module(name).SCHEMAS.items()
