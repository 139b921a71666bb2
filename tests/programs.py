"""Entry points called in this process: what they say and do is the same, and nobody waits for their imports."""

import importlib
import io
import logging
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra


def call(name: str, *words: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Runs an entry point as it would run in a process of its own.

    Args:
        name: Such as ``reproduce``.
        words: Its command line.
        folder: The current folder.
        environment: Further variables.

    Returns:
        The exit code, and all that it told on standard output and error.
    """
    program, told, root = importlib.import_module(f"retable.commands.{name}"), io.StringIO(), logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    code = 0
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(), redirect_stdout(told), redirect_stderr(told):
        warnings.simplefilter("ignore")
        patch.chdir(folder)
        patch.setattr(sys, "argv", [f"{name}.py", *words])
        for key, value in environment.items():
            patch.setenv(key, value)
        GlobalHydra.instance().clear()
        try:
            program.main()
        except SystemExit as end:
            code = int(end.code or 0)
    root.setLevel(level)
    root.handlers[:] = handlers
    return code, told.getvalue()
