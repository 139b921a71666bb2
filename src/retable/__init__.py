"""Retable: every table of a computer-vision paper is a command."""

from retable import sparing

__version__ = "0.2.0"

sparing.install()
