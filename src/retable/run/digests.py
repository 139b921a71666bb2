"""Digests of the code that a run was made with, and what of it has changed on the disk since.

A digest is that of the parsed code: comments, docstrings and layout do not count. Nothing here imports torch.
"""

import ast
import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import retable
from retable.files import cache_folder, write_text
from retable.run import places

_PACKAGE = Path(retable.__file__).parent
_KERNELS = b"retable.kernels"  # what every module with kernels imports
_WEIGHTS = (".ckpt", ".npz", ".pt", ".pth", ".safetensors")
_MEMORY = "code-1.json"  # counts up when a digest is made otherwise
_FRESH_SECONDS = 1.0


def loaded() -> dict[str, str]:
    """Digests the modules that this process has loaded of Retable and of the papers' folders.

    Kernels and weights that lie beside such a module count as well, as a loader process may be the only one that loads
    them. A module ``schema`` counts where another one of its folder is loaded: every run reads those of all papers. Of
    a module that was seen in an earlier call the digest of then stands, should its file have been edited since.

    Returns:
        Digest by name: ``retable.run.train`` of a module, ``retable/papers/NAME/weights.pt`` of another file.
    """
    bases = _bases()
    found: dict[Path, Path] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and "site-packages" not in file.removeprefix(str(_PACKAGE)):
            for folder, base in bases.items():
                if file.startswith(f"{folder}{os.sep}"):
                    found[Path(file)] = base
                    break
    own = {path.parent for path in found if path.stem not in ("schema", "__init__")}
    found = {path: base for path, base in found.items() if path.stem != "schema" or path.parent in own}
    for folder in own:
        base = next(base for path, base in found.items() if path.parent == folder)
        found |= dict.fromkeys(_beside(folder), base)
    _remember({_name(path, base): path for path, base in found.items() if _name(path, base) not in _SEEN})
    return {name: _SEEN[name] for name in sorted(_name(path, base) for path, base in found.items())}


_SEEN: dict[str, str] = {}


def _remember(files: Mapping[str, Path]) -> None:
    digests = _digests(files.values())
    _SEEN.update({name: digests[path] for name, path in files.items()})


class Disk:
    """The code as it is on the disk; what was looked at within a second is not looked at again."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._looked = 0.0

    def changed(self, code: Mapping[str, str]) -> tuple[str, ...]:
        """Returns the names, as of `loaded`, of what is other than in a record, or gone."""
        if time.monotonic() - self._looked > _FRESH_SECONDS:
            self._known, self._looked = {}, time.monotonic()
        known = self._known
        if missing := [name for name in code if name not in known]:
            files = {name: path for name in missing if (path := _file(name)) is not None}
            digests = _digests(files.values())
            known.update({name: digests[files[name]] if name in files else "" for name in missing})
        return tuple([name for name, digest in code.items() if known[name] != digest])


def _bases() -> dict[Path, Path]:
    """Folders whose files count, each with the folder that names are relative to."""
    return {_PACKAGE: _PACKAGE.parent, **{folder: folder for folder in places.paper_folders()}}


def _name(path: Path, base: Path) -> str:
    relative = path.relative_to(base)
    if path.suffix != ".py":
        return relative.as_posix()
    parts = relative.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _file(name: str) -> Path | None:
    for base in _bases().values():
        path = base / name
        if not name.endswith(_WEIGHTS):
            path = base.joinpath(*name.split("."))
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.is_file():
            return path
    return None


@cache
def _beside(folder: Path) -> list[Path]:
    """Kernels and weights in a folder."""
    return [
        path
        for path in folder.iterdir()
        if path.suffix in _WEIGHTS or (path.suffix == ".py" and _KERNELS in path.read_bytes())
    ]


def _digests(paths: Iterable[Path]) -> dict[Path, str]:
    """Digests files; of those that are as large and as old as the last time, what is remembered."""
    memory = cache_folder() / _MEMORY
    try:
        remembered = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it is only a cache
        remembered = {}
    found, new = {}, {}
    for path in paths:
        about = path.stat()
        stamp = [about.st_mtime_ns, about.st_size]
        kept = remembered.get(str(path))
        if not isinstance(kept, list) or kept[:2] != stamp:
            kept = new[str(path)] = [*stamp, digest(path.read_bytes(), path.suffix)]
        found[path] = str(kept[2])
    if new:
        with contextlib.suppress(OSError):
            write_text(memory, json.dumps({**remembered, **new}))
    return found


def digest(content: bytes, suffix: str = ".py") -> str:
    """Returns twelve hexadecimal digits: of a module's parsed code, or of the bytes of any other file."""
    made = hashlib.sha256()
    if suffix == ".py":
        with contextlib.suppress(SyntaxError, ValueError):  # half edited: it is other than it was, whatever it is
            content = "\n".join(_told(ast.parse(content))).encode("utf-8", "surrogatepass")
    made.update(content)
    return made.hexdigest()[:12]


def _told(value: object) -> Iterator[str]:
    """Tells a part of parsed code, without what Python's versions write down differently: all that is empty."""
    if isinstance(value, ast.AST):
        yield type(value).__name__
        for name, part in ast.iter_fields(value):
            if part is not None and part != []:
                yield name
                yield from _told(part)
        yield ")"
    elif isinstance(value, list):
        for part in value:
            if not _is_docstring(part):
                yield from _told(part)
    else:
        yield repr(value)


def _is_docstring(part: object) -> bool:
    """Whether it is a text that stands by itself, below a module, a class, a function or an attribute."""
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)
