"""Drawing generator: hand-drawn emoji of the eight classes, determined by a seed."""

from retable.papers.emoji.drawings.dataset import EmojiDrawings
from retable.papers.emoji.drawings.tools import MEDIA

__all__ = ["MEDIA", "EmojiDrawings"]
