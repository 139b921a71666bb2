"""What a run ran on: package versions, devices, the state of the repository, memory."""

import platform
import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_PACKAGES = (
    "retable",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "torch-fidelity",
    "timm",
    "scikit-learn",
    "xgboost",
    "numpy",
    "scipy",
    "numba",
    "opencv-python-headless",
    "hydra-core",
    "omegaconf",
    "wandb",
)

_SOURCES = (".py", ".yaml")


def package_versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that results depend on; None for what is not installed."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def git_state() -> dict[str, Any]:
    """Commit and dirty flag of the repository that the package runs from; both None outside one.

    Dirty is what differs from the commit in a tracked file, or has a source file (code or configuration) beside it.
    """
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    status = git("status", "--porcelain", "--untracked-files=all")
    changes = None if status is None else [line for line in status.splitlines() if _is_change(line)]
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _is_change(line: str) -> bool:
    """Whether a line of ``git status --porcelain`` tells of what a run may have been made with."""
    return not line.startswith("??") or line.rstrip('"').endswith(_SOURCES)


def devices(accelerator: str, count: int) -> dict[str, Any]:
    """Kind, number and name of the devices that a run used."""
    name = torch.cuda.get_device_name() if accelerator == "cuda" else platform.processor() or platform.machine()
    return {
        "accelerator": accelerator,
        "count": count,
        "name": name,
        "system": platform.platform(),
        "threads": torch.get_num_threads(),
    }


def peak_memory() -> dict[str, int]:
    """Largest memory so far in bytes: ``resident`` of this process, ``workers`` of its largest child, ``gpu``."""
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, in KiB on Linux
    return {
        "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "workers": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit,
        "gpu": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0,
    }
