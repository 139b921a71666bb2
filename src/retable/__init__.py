"""Retable: every table of a computer-vision paper is a command."""

__version__ = "0.1.0"
