"""Spares every process seconds of imports that nothing here needs: together more than torch itself takes.

Lightning imports all of torchmetrics, which imports torchvision, SciPy's signal processing and matplotlib for metrics
that no paper here uses: while torchmetrics is imported, it is told that they are not installed. Its metrics of images
that need torchvision, its assignment of audio sources and its ``plot`` are not there then.

Lightning, torch's optimisers and torchvision import torch's compiler, only to mark what must not be compiled or to ask
whether it could be: a stand-in takes those marks, and gives way to the compiler as soon as anything else is asked of it
(`compiler` does so for ``compile=true``).

RETABLE_ALL_IMPORTS=1 turns all of this off, and so does importing torchmetrics or torch._dynamo before retable.
"""

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import Any

_UNUSED = ("torchvision", "torch_fidelity", "matplotlib", "scipy")
_COMPILER = "torch._dynamo"
_UTILITIES = "torch._dynamo.utils"


def install() -> None:
    """Makes coming imports of torchmetrics and torch's compiler sparing ones."""
    if os.environ.get("RETABLE_ALL_IMPORTS"):
        return
    sys.meta_path.insert(0, _Finder())
    if _COMPILER not in sys.modules:
        sys.modules[_COMPILER] = _StandIn(_COMPILER)
        sys.modules[_UTILITIES] = _UtilitiesStandIn(_UTILITIES)


def compiler() -> Any:
    """Returns torch's compiler; what it shall compile is to be imported after this."""
    if isinstance(sys.modules.get(_COMPILER), _StandIn):
        del sys.modules[_COMPILER], sys.modules[_UTILITIES]
        vars(sys.modules["torch"]).pop("_dynamo", None)
    return importlib.import_module(_COMPILER)


class _Compiled(type):
    """Type of `_StandIn.OptimizedModule`, which is what the compiler's own class is."""

    def __instancecheck__(cls, instance: Any) -> bool:
        loaded = sys.modules.get(_COMPILER)
        return not isinstance(loaded, _StandIn | None) and isinstance(instance, loaded.OptimizedModule)


class _StandIn(ModuleType):
    """Stands for torch._dynamo as long as nothing is compiled."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # it is a package: importing a part of it is what `_Finder` sees

    class OptimizedModule(metaclass=_Compiled):
        """A compiled module, for `isinstance`."""

    @staticmethod
    def disable(fn: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """Returns the function that is not to be compiled as it is."""
        return fn

    @staticmethod
    def graph_break(*_: Any, **__: Any) -> None:
        """Does nothing: there is no graph."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked of every module
            raise AttributeError(name)
        return getattr(compiler(), name)


class _UtilitiesStandIn(ModuleType):
    """Stands for torch._dynamo.utils, which torchvision's operations import a function of."""

    @staticmethod
    def is_compile_supported(device_type: Any) -> Any:
        """Asks the compiler."""
        return compiler().utils.is_compile_supported(device_type)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(compiler().utils, name)


class _Finder(MetaPathFinder):
    """Finds torchmetrics, and the parts of torch's compiler while the stand-in is there, before all others."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Finds what the import system would find, with a loader of ours."""
        if name == "torchmetrics":
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _SparingLoader(spec.loader)
            return spec
        if name.startswith(f"{_COMPILER}.") and isinstance(sys.modules.get(_COMPILER), _StandIn):
            compiler()
            return importlib.machinery.ModuleSpec(name, _LoadedLoader(importlib.import_module(name)))
        return None


class _SparingLoader(Loader):
    """Loads a package that is told that what it need not use is not installed."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """Leaves that to the package's own loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Imports the package and all that it imports."""
        with _not_installed():
            self._loader.exec_module(module)


class _LoadedLoader(Loader):
    """Hands out a module that is imported already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Returns the module."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Does nothing."""


@contextmanager
def _not_installed() -> Iterator[None]:
    imports: Any = importlib.import_module("lightning_utilities.core.imports")
    requirement, available = imports.RequirementCache, imports.package_available
    check = requirement._check_available

    def check_sparingly(cache: Any) -> None:
        if str(cache.requirement).startswith(_UNUSED):
            cache.available, cache.message = False, f"{cache.requirement} is left out: see retable.sparing"
        else:
            check(cache)

    requirement._check_available = check_sparingly
    imports.package_available = lambda name: name not in _UNUSED and available(name)
    try:
        yield
    finally:
        requirement._check_available, imports.package_available = check, available
