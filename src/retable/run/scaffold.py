"""A new paper: a folder with a model, a dataset, a table and their tests, which work and are there to be replaced."""

import re
from pathlib import Path

from retable.errors import ConfigError, StorageError
from retable.run import places

_TEMPLATE = Path(__file__).with_name("new_paper")
_NAME = "my_paper"


def write(name: str, folder: Path) -> None:
    """Writes a new paper's folder.

    Args:
        name: Name of the paper: of its package, its table's folder, and the beginning of its model's and data's names.
        folder: A folder that is empty or not there yet.

    Raises:
        ConfigError: The name cannot be that of a package, or is taken; or there is something in the folder.
        StorageError: The folder cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigError(f"new_paper={name}: small letters, digits and _ only, as it is the name of a package")
    taken = [path for place in places.experiments() for path in place.iterdir() if path.name == name]
    if taken:
        raise ConfigError(f"new_paper={name}: {taken[0]} has that name already")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"new_paper={name}: {folder} is there already and not empty")
    try:
        for source in sorted(path for path in _TEMPLATE.rglob("*") if path.is_file()):
            relative = str(source.relative_to(_TEMPLATE)).replace(_NAME, name).removesuffix(".txt")
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(source.read_text(encoding="utf-8").replace(_NAME, name), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write into {folder}: {error.strerror}") from error
