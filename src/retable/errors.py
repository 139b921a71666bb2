"""Errors that are written for the user, each kind with its own exit code.

A message is one line that says what is wrong, in which file or key, and what to do about it.
The entry points print it without a traceback and leave with the exit code of its class.
"""


class RetableError(Exception):
    """Base of all errors that the user can act on."""

    exit_code = 1


class ConfigError(RetableError):
    """A configuration that cannot be run: unknown key, wrong type, missing value, impossible combination."""

    exit_code = 2


class DataError(RetableError):
    """A dataset, image or annotation that is missing, malformed or inconsistent."""

    exit_code = 3


class CheckpointError(RetableError):
    """A checkpoint that is missing, damaged or from another model."""

    exit_code = 4


class DivergenceError(RetableError):
    """A training that produced a loss that is not a finite number."""

    exit_code = 5


class StorageError(RetableError):
    """A result that could not be written: full disk, missing permission."""

    exit_code = 6


class CellsError(RetableError):
    """Cells of a table or trials of a search that failed; the others were run."""

    exit_code = 7


class StoppedError(RetableError):
    """Stopped from outside; what is missing can be done later."""

    exit_code = 130
