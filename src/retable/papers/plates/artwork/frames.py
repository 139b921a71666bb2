"""What surrounds a plate on the vehicle: a holder, a lip of chrome, or bare paint."""

from __future__ import annotations

from retable.papers.plates.artwork.canvas import Colour, PlateCanvas, vary
from retable.synthetic.rng import RandomStream

_HOLDERS = ((24, 24, 26), (24, 24, 26), (40, 40, 44), (60, 60, 62), (150, 150, 154))
_DEALERS = "AUTOHAUS", "MOTORS", "AUTO CENTER", "GARAGE", "www.cars.com", "CITY CARS", "SERVICE", "TOYOTA", "NISSAN"


def draw_surroundings(rng: RandomStream) -> tuple[float, Colour]:
    """Returns the width of a holder in mm and its colour."""
    return rng.uniform(5, 16), vary(rng, rng.choice(_HOLDERS), 8)


def print_holder(canvas: PlateCanvas, rng: RandomStream) -> None:
    """Prints a dealer's name onto the lower lip of a holder that is wide enough."""
    if canvas.margin < 9 or not rng.chance(0.5):
        return
    y = canvas.height + 0.2 * canvas.margin
    wide = rng.uniform(0.2, 0.7) * canvas.width
    x = rng.uniform(0.1, 0.9) * (canvas.width - wide)
    canvas.word(rng.choice(_DEALERS), (x, y, x + wide, y + 0.6 * canvas.margin))
    canvas.print(vary(rng, rng.choice(((220, 220, 220), (200, 60, 50), (120, 150, 210)))))


def fasten(canvas: PlateCanvas, rng: RandomStream) -> None:
    """Draws screws or rivets."""
    kind = rng.random()
    if kind < 0.45:
        return
    y = rng.choice((0.12, 0.5, 0.88)) * canvas.height if canvas.height < 130 else 0.1 * canvas.height
    x = rng.uniform(0.03, 0.3) * canvas.width
    colour = vary(rng, rng.choice(((40, 40, 42), (150, 148, 140), (110, 80, 60), (220, 220, 214))), 12)
    for place in (x, canvas.width - x):
        canvas.disc(place, y, rng.uniform(4, 7), colour)
