"""Content fingerprints: whether two runs have seen the same data."""

import filecmp
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from retable.errors import DataError

_WHOLE = 1 << 20  # images up to 1 MiB are hashed whole
_BLOCK = 1 << 16  # of larger ones three blocks of 64 KiB


def fingerprint_files(annotations: Mapping[str, Path], images: Mapping[str, Path], extra: Iterable[str] = ()) -> str:
    """Fingerprints a dataset by its files' contents, independent of where they lie and of time stamps.

    Hashed are, sorted by key: each annotation's key and all of its bytes; each image's key, its size in
    bytes, and its bytes, all of them up to 1 MiB, else the first, middle and last 64 KiB. Uncompressed
    collections of some GB so take seconds. A change inside a large image that leaves these blocks and the
    size alone goes unseen.

    Args:
        annotations: Annotation files and lists by a key that does not depend on the dataset's folder.
        images: Image files by key.
        extra: Settings that change what is read from the files (class level, split).

    Returns:
        64 hexadecimal digits (SHA-256).

    Raises:
        DataError: A file cannot be read.
    """
    digest = hashlib.sha256()
    for text in extra:
        _add(digest, b"setting", text.encode())
    for key, path in sorted(annotations.items()):
        _add(digest, b"annotation", key.encode(), _contents(path))
    for key, path in sorted(images.items()):
        _add(digest, b"image", key.encode(), *_sampled_contents(path))
    return digest.hexdigest()


def equal_files(files: Sequence[Path], others: Sequence[Path]) -> dict[int, int]:
    """Finds files with the same bytes, such as images that are in two splits.

    Returns:
        For the position of each file whose bytes one of `others` has as well, the position of the first such one.

    Raises:
        DataError: A file cannot be read.
    """
    try:
        sizes = {path.stat().st_size for path in files} & {path.stat().st_size for path in others}
        candidates: dict[bytes, list[int]] = {}
        for index, path in enumerate(others):
            if path.stat().st_size in sizes:
                candidates.setdefault(_sample(path), []).append(index)
        found = {}
        for index, path in enumerate(files):
            alike = candidates.get(_sample(path), []) if path.stat().st_size in sizes else []
            same = next((other for other in alike if filecmp.cmp(path, others[other], shallow=False)), None)
            if same is not None:
                found[index] = same
        return found
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from None


def combined_fingerprint(fingerprints: Mapping[str, str]) -> str:
    """Fingerprints several datasets, such as the splits of a run, as one.

    Args:
        fingerprints: Fingerprints by name.

    Returns:
        64 hexadecimal digits (SHA-256) that depend on names and fingerprints, not on their order.
    """
    digest = hashlib.sha256()
    for name, fingerprint in sorted(fingerprints.items()):
        _add(digest, name.encode(), fingerprint.encode())
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", *parts: bytes) -> None:
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))  # lengths keep ("ab", "c") apart from ("a", "bc")
        digest.update(part)


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _sample(path: Path) -> bytes:
    digest = hashlib.sha256()
    _add(digest, *_sampled_contents(path))
    return digest.digest()


def _sampled_contents(path: Path) -> tuple[bytes, bytes]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size <= _WHOLE:
                return str(size).encode(), file.read()
            blocks = []
            for position in (0, (size - _BLOCK) // 2, size - _BLOCK):
                file.seek(position)
                blocks.append(file.read(_BLOCK))
            return str(size).encode(), b"".join(blocks)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
