"""Files that are either complete or absent, whenever the process or the machine stops; and folders for one process."""

import csv
import errno
import fcntl
import io
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TextIO, TypeVar, cast

from retable.errors import ConfigError

Kind = TypeVar("Kind")

_LITTLE_BYTES = 2**20


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file beside its final place and moves it there when it is complete.

    Args:
        path: The file to write or replace.
        write: Writes the content to the path that it is given: same folder, same suffix, a hidden name.

    Raises:
        OSError: The disk is full or the folder cannot be written; it names the file, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # of a full disk the system names none
        raise
    except RuntimeError as error:  # torch's of a full disk
        if shutil.disk_usage(path.parent).free < _LITTLE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file all or nothing (see `write_atomically`)."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_dataclass(path: Path, value: Any) -> None:
    """Writes a dataclass as JSON, all or nothing."""
    write_text(path, json.dumps(asdict(value), indent=2) + "\n")


def read_dataclass(path: Path, kind: type[Kind]) -> Kind | None:
    """Reads what `write_dataclass` wrote; None if there is nothing, or nothing that can be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        values = json.loads(path.read_text(encoding="utf-8"))
        return kind(**{part.name: values[part.name] for part in fields(cast(Any, kind))})
    return None


def cache_folder() -> Path:
    """Returns the folder for what is remembered to save time; it need not exist, and may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retable"


def write_csv(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Writes the rows of a CSV file, the header first, all or nothing (see `write_atomically`)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


@contextmanager
def alone(folder: Path, refusal: str) -> Iterator[None]:
    """Keeps other processes out of a folder, which is made if need be; the kernel lifts that when the process dies.

    What killed processes have left half-written in it is removed.

    Args:
        folder: The folder; ``.lock`` in it says who holds it.
        refusal: What to tell if another process does.

    Raises:
        ConfigError: Another process holds it.
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    with _lock(path, refusal):
        for left in (*folder.glob(".*"), *folder.glob("*/.*")):
            if re.fullmatch(r"\..+\.\d+(\.\w+)?", left.name) and left.is_file():  # as `write_atomically` names them
                left.unlink(missing_ok=True)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _lock(path: Path, refusal: str) -> TextIO:
    """Opens and locks a file with this process's name in it."""
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock's no child has it as well
        if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            file.close()  # its owner has ended and removed it in between
            return _lock(path, refusal)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
    except OSError as error:
        file.seek(0)
        owner = file.read().strip() or "it does not say which"
        file.close()
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise ConfigError(f"{refusal} ({owner})") from None
        raise
    return file
