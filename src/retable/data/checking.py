"""Whether each image of a dataset can be used, found out before hours are spent on the others.

Decoders fill in what is missing from a damaged file and say so on the standard error only, without the file's name. So
images are decoded one at a time, and what is said meanwhile is taken for a refusal.
"""

import hashlib
import json
import logging
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from retable.data.images import image_header
from retable.errors import DataError
from retable.files import cache_folder, write_text

log = logging.getLogger(__name__)

Read = Callable[[Path], npt.NDArray[np.uint8]]

_DAMAGE = re.compile(
    r"Corrupt JPEG data|Premature end of|Invalid SOS|Inconsistent progression|TIFF_Error|libpng error|\[ERROR:"
)
_CHATTER = re.compile(r"\[ *(WARN|INFO|ERROR|DEBUG):|libpng |Warning: unknown JFIF|\s*$")
_PREFIX = re.compile(r"\[ERROR:\S+\] global \S+ (TIFF_Error )?")
_LITTLE = 1 << 22  # bytes: fewer are decoded before processes have started, or anything is worth remembering
_SHOWN = 20  # problems that are logged, each in a line
_VERSION = 1  # of what is remembered


NEAR_BLACK = 64
"""Of 255: what the brightest pixels of an image stay below that uses 14 of 16 bits or fewer."""


def check_images(paths: Sequence[Path], read: Read, settings: str = "") -> dict[Path, int]:
    """Decodes images, in parallel where they are many; then those that were good are remembered by size and time.

    Args:
        paths: The image files.
        read: Reads one; a function that processes can be sent.
        settings: What `read` depends on, for the memory.

    Returns:
        The largest value of each image that has 16 bits a channel, as `read` returned it.

    Raises:
        DataError: Some cannot be used. The message tells the first and how many they are; each is logged.
    """
    stamps = {path: _stamp(path) for path in paths}
    many = sum(size for size, _ in stamps.values()) > _LITTLE
    memory = _memory_file(paths, settings)
    good = _remembered(memory, stamps) if many else {}
    new = [path for path in paths if path not in good]
    problems = []
    for path, (problem, largest) in zip(new, _outcomes(new, read, many), strict=True):
        if problem is None:
            good[path] = largest
        else:
            problems.append(problem)
    if many and new:
        _remember(memory, {str(path): [*stamps[path], largest] for path, largest in good.items()})
    if problems:
        for problem in problems[:_SHOWN]:
            log.error("%s", problem)
        raise DataError(
            f"{len(problems)} of {len(paths)} images cannot be used, first {problems[0]} "
            "(data.check=headers would decode images only when they are used)"
        )
    return {path: largest for path, largest in good.items() if largest is not None}


def read_whole(read: Read, path: Path) -> npt.NDArray[np.uint8]:
    """Reads an image and refuses one that its decoder calls damaged; not for several threads at once.

    Raises:
        DataError: As of `read`, or the decoder complained.
    """
    with _decoder_messages() as messages:
        image = read(path)
    damage = next((line for line in messages if _DAMAGE.search(line)), None)
    if damage is not None:
        raise DataError(
            f"{path}: the image file is damaged: its decoder says {_PREFIX.sub('', damage).strip()!r}; restore it from "
            "its source, or save it anew if it looks right"
        )
    return image


@contextmanager
def _decoder_messages() -> Iterator[list[str]]:
    """Collects the lines that libraries write to the standard error; what is none of theirs is passed on at the end."""
    lines: list[str] = []
    with tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            lines += file.read().decode(errors="replace").splitlines()
            for line in lines:
                if not (_DAMAGE.search(line) or _CHATTER.match(line)):
                    os.write(2, f"{line}\n".encode())


def _outcomes(paths: Sequence[Path], read: Read, many: bool) -> Iterator[tuple[str | None, int | None]]:
    if not many:
        yield from (_outcome(read, path) for path in paths)
    elif paths:
        from rich.progress import track

        with ProcessPoolExecutor(min(8, os.cpu_count() or 1), initializer=_initialise) as pool:
            found = pool.map(partial(_outcome, read), paths, chunksize=8)
            yield from track(found, "checking images", total=len(paths))


def _initialise() -> None:
    """Keeps a process to one thread, and leaves it to the first process to say that all were interrupted."""
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _outcome(read: Read, path: Path) -> tuple[str | None, int | None]:
    """What is wrong with an image, and its largest value if it has 16 bits a channel."""
    try:
        image = read_whole(read, path)
        return None, int(image.max()) if image_header(path).bits == 16 else None
    except DataError as error:
        return str(error), None


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0  # its reader says what is wrong
    return status.st_size, status.st_mtime_ns


def _memory_file(paths: Sequence[Path], settings: str) -> Path:
    common = os.path.commonpath([path.absolute() for path in paths])
    text = f"{_VERSION} {cv2.__version__} {settings}\n{common}"
    return cache_folder() / f"images-{hashlib.sha256(os.fsencode(text)).hexdigest()[:16]}.json"


def _remembered(memory: Path, stamps: Mapping[Path, tuple[int, int]]) -> dict[Path, int | None]:
    """The largest values, or None, of files that were good; of a memory that is lost or damaged there are none."""
    try:
        known = json.loads(memory.read_text())
        entries = {path: known.get(str(path), [None, None, None]) for path in stamps}
        return {path: largest for path, (*stamp, largest) in entries.items() if stamp == [*stamps[path]]}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(memory: Path, good: Mapping[str, Sequence[int | None]]) -> None:
    try:
        write_text(memory, json.dumps(good))
    except OSError as error:
        log.debug("%s: cannot be written: %s", memory, error)
