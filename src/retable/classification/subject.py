"""What a classifier is about: the classes that it tells apart, and how an image is prepared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retable.errors import ConfigError

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ClassList:
    """Classes in the order of their labels 0, 1, and so on.

    Attributes:
        names: As metrics and predictions have them, such as ``winking_face``.
        titles: As plots have them; made of the names where left out.
        captions: As they stand under a small picture, where two of them and a number must fit; the titles where left
            out.
        parts: What else each class tells, such as its country, by the name of what is told: its accuracy is a metric,
            ``accuracy_country``.

    Raises:
        ConfigError: There are fewer than two names, or two alike, or not as many titles, captions or parts.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        titles = self.titles or tuple(name.replace("_", " ") for name in self.names)
        captions = self.captions or titles
        told = (titles, captions, *self.parts.values())
        if len(set(self.names)) < max(2, len(self.names)) or any(len(self.names) != len(each) for each in told):
            raise ConfigError(f"classes {', '.join(self.names)}: must be two or more, each once, with a title each")
        object.__setattr__(self, "titles", titles)
        object.__setattr__(self, "captions", captions)

    def __len__(self) -> int:
        return len(self.names)


class Subject(Protocol):
    """What a paper tells its classifiers, as the option ``model.subject``; predictions need no other data."""

    @property
    def classes(self) -> ClassList:
        """The classes; a data module of this subject has their names as its ``classes``."""

    @property
    def margin(self) -> float:
        """What is shown around an object that was cut out of a larger image, as a part of the object's sides."""

    def prepare(self, image: Image) -> Image:
        """Prepares an image as those of the training were.

        Args:
            image: uint8 (H, W, 3) RGB of any size.

        Returns:
            uint8 (S, S, 3) RGB, of the same side for all images.

        Raises:
            DataError: It shows nothing that could be told; the message says why, the caller names the file.
        """
