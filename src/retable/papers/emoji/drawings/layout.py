"""Where a drawing's head lies in the picture, and where its features lie in the head."""

from __future__ import annotations

import math
from dataclasses import dataclass

from retable.synthetic.rng import RandomStream

Affine = tuple[tuple[float, float, float], tuple[float, float, float]]

PAGE: Affine = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True)
class Layout:
    """Proportions of a face, in head radii; the same for all classes.

    Attributes:
        eye_x: Half the distance between the eyes.
        eye_y: Their height; negative above the head's centre.
        mouth_x: Centre of the mouth.
        mouth_y: Likewise.
        mouth: Half its width.
    """

    eye_x: float
    eye_y: float
    mouth_x: float
    mouth_y: float
    mouth: float


def draw_layout(rng: RandomStream) -> Layout:
    """Draws a face's proportions."""
    return Layout(
        eye_x=rng.uniform(0.24, 0.5),
        eye_y=rng.uniform(-0.5, -0.12),
        mouth_x=rng.triangular(0.12),
        mouth_y=rng.uniform(0.3, 0.6),
        mouth=rng.uniform(0.2, 0.56),
    )


def _affine(x: float, y: float, width: float, height: float, angle: float, shear: float) -> Affine:
    cosine, sine = math.cos(angle), math.sin(angle)
    return (
        (cosine * width, cosine * width * shear - sine * height, x),
        (sine * width, sine * width * shear + cosine * height, y),
    )


def _chain(outer: Affine, inner: Affine) -> Affine:
    (a, b, c), (d, e, f) = outer
    (g, h, i), (j, k, m) = inner
    return ((a * g + b * j, a * h + b * k, a * i + b * m + c), (d * g + e * j, d * h + e * k, d * i + e * m + f))


def draw_head_frame(rng: RandomStream, neat: bool) -> tuple[Affine, float]:
    """Draws where the head lies in the picture.

    Returns:
        From the head's coordinates to the page's, and the head's mean radius in the latter.
    """
    size = rng.random()
    radius = rng.uniform(0.5, 1.0) if size < 0.88 else rng.uniform(0.38, 0.5) if size < 0.95 else rng.uniform(1.0, 1.1)
    stretch = math.exp(rng.triangular(0.05 if neat else 0.28))
    width, height = min(radius * stretch, 1.15), min(radius / stretch, 1.15)
    angle = rng.triangular(0.25)
    if neat and rng.chance(0.7):
        angle = 0.0
    elif rng.chance(0.08):
        angle = rng.triangular(0.6)
    shear = 0.0 if neat else rng.triangular(0.2)
    # within the picture, now and then a little beyond its edge
    beyond = 0.12 if rng.chance(0.1) else 0.0
    free_x, free_y = max(1.0 - 1.06 * width, 0.03) + beyond, max(1.0 - 1.06 * height, 0.03) + beyond
    x, y = (free * (0.6 * rng.uniform(-1.0, 1.0) + rng.triangular(0.4)) for free in (free_x, free_y))
    return _affine(x, y, width, height, angle, shear), radius


def draw_face_frame(rng: RandomStream, head: Affine, radius: float, outlined: bool, neat: bool) -> Affine:
    """Draws where the features lie in the head: nearly in the middle, seldom straight.

    Faces in heads without an outline fill more of the picture. The head's mean radius is that on the page.

    Returns:
        From the face's coordinates to the page's.
    """
    if neat:
        return head
    scale = rng.uniform(0.82, 1.08)
    if not outlined:
        scale *= rng.uniform(1.0, max(min(1.5, 1.05 / radius), 1.0))
    stretch = math.exp(rng.triangular(0.15))
    angle = rng.triangular(0.4) if rng.chance(0.15) else rng.triangular(0.12)
    x, y = rng.triangular(0.16), rng.triangular(0.14)
    return _chain(head, _affine(x, y, scale * stretch, scale / stretch, angle, rng.triangular(0.12)))
