"""One plate as a texture: drawn, fastened and worn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from retable.papers.plates.artwork.america import american, brazilian
from retable.papers.plates.artwork.canvas import PlateCanvas
from retable.papers.plates.artwork.europe import european, turkish
from retable.papers.plates.artwork.formats import characters
from retable.papers.plates.artwork.frames import fasten, print_holder
from retable.papers.plates.artwork.gulf import emirati, saudi
from retable.papers.plates.artwork.india import indian
from retable.synthetic.raster import Image, Points
from retable.synthetic.rng import RandomStream

_DESIGNERS: Final[dict[str, Callable[[RandomStream, int, float], tuple[PlateCanvas, str]]]] = {
    "us": american, "eu": european, "tr": turkish, "in": indian, "uae": emirati, "ksa": saudi, "br": brazilian,
}  # fmt: skip


@dataclass(frozen=True)
class Plate:
    """A plate with what surrounds it.

    Attributes:
        texture: uint8 (H, W, 3).
        corners: Of the plate proper, (4, 2) in pixels of the texture, clockwise from the upper left.
        country: Its code.
        lines: 1 or 2.
        text: Its letters and digits; of Saudi plates the Latin ones.
        aspect: Width by height of the plate proper.
        scale: Pixels of the texture for each mm.
    """

    texture: Image
    corners: Points
    country: str
    lines: int
    text: str
    aspect: float
    scale: float


def draw_plate(rng: RandomStream, country: str, lines: int, scale: float) -> Plate:
    """Draws a plate.

    Args:
        rng: Random numbers.
        country: One of `retable.papers.plates.countries.COUNTRIES`.
        lines: 1 or 2.
        scale: Pixels for each millimetre; European plates are 520 mm long.
    """
    canvas, text = _DESIGNERS[country](rng, lines, scale)
    print_holder(canvas, rng)
    fasten(canvas, rng)
    if rng.chance(0.6):
        canvas.weather(rng, rng.uniform(0.02, 0.35) ** 1.3)
    return Plate(canvas.image, canvas.corners(), country, lines, characters(text), canvas.width / canvas.height, scale)
