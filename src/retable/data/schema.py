"""What may be set of all files of images."""

from dataclasses import dataclass

from retable.options import Options, option


@dataclass
class ImageChecks(Options):
    """How images are looked at before anything is learnt from them.

    Attributes:
        check: ``decode`` decodes each image once, and remembers by size and time of the file that it was good;
            ``headers`` only looks whether the files are whole, and leaves damaged pixels to be found, or not, later.
    """

    check: str = option("decode", choices=("headers", "decode"))


SCHEMAS: dict[str, type] = {}  # the rooms that read images name their own
