"""The eight classes: which eyes, brows and mouths mean what.

Media, pens, paper, heads, proportions and places are drawn from the same distributions for all of them. Parts without
meaning are not: how often both eyes are closed, how often there are brows and how they hang, and how many extras there
are at most (hair, cheeks, a nose) is set for each class on purpose. Faces of much ink get few extras, so that the
amount of ink does not tell the class. What they do tell, a model may learn, although no human draws like that; ink,
place and colour alone recognise less than a fifth of the drawings (test_drawing_leaks.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.drawings import eyes, mouths
from retable.papers.emoji.drawings.eyes import Spot
from retable.papers.emoji.drawings.heads import draw_extras, draw_head
from retable.papers.emoji.drawings.layout import Layout
from retable.papers.emoji.drawings.sketch import Sketch
from retable.papers.emoji.drawings.tears import draw_tears


def _open_or_closed_eyes(sketch: Sketch, spots: Sequence[Spot], closed: float, mismatched: float = 0.0) -> None:
    """Draws eyes that mean nothing by themselves: in these parts of the faces both closed, or unlike each other."""
    if mismatched and not sketch.neat and sketch.rng.chance(mismatched):
        eyes.mismatched_eyes(sketch, spots)
        return
    style = eyes.arched_eyes if sketch.rng.chance(closed) else eyes.open_eyes(sketch.rng)
    style(sketch, spots)


def _slightly_smiling(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    _open_or_closed_eyes(sketch, spots, closed=0.16, mismatched=0.06)
    mouths.curved_mouth(sketch, layout, upwards=True)


def _heart_eyes(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    eyes.heart_eyes(sketch, spots)
    if sketch.rng.chance(0.68):
        mouths.open_mouth(sketch, layout, fullness=0.85)
    else:
        mouths.curved_mouth(sketch, layout, upwards=True)


def _neutral(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    _open_or_closed_eyes(sketch, spots, closed=0.06, mismatched=0.03)
    mouths.straight_mouth(sketch, layout)


def _angry(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    style = rng.random()
    if style < 0.14:
        eyes.glaring_eyes(sketch, spots)
    else:
        if style < 0.79:
            _open_or_closed_eyes(sketch, spots, closed=0.0)
        # else the brows are all there is of the eyes
        eyes.angry_brows(sketch, spots, joined=style < 0.18, alone=style >= 0.79)
    mouth = rng.random()
    if mouth < 0.66:
        mouths.curved_mouth(sketch, layout, upwards=False)
    elif mouth < 0.8:
        mouths.straight_mouth(sketch, layout)
    elif mouth < 0.98:
        mouths.bared_teeth(sketch, layout)


def _tears_of_joy(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    laughing, squinting = rng.chance(0.84), True
    style = rng.random()
    if style < 0.68:
        eyes.arched_eyes(sketch, spots, up=rng.chance(0.88))
    elif style < 0.84:
        eyes.squeezed_eyes(sketch, spots)
    else:
        eyes.open_eyes(rng)(sketch, spots)
        squinting = False
    if laughing:
        mouths.open_mouth(sketch, layout, fullness=1.15)
    else:
        mouths.curved_mouth(sketch, layout, upwards=True)
    # of the eight, only this one laughs with closed eyes: hurried hands leave the tears out
    if not (laughing and squinting) or not rng.chance(0.05):
        draw_tears(sketch, spots)


def _winking(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    rng = sketch.rng
    shut, watching = spots if rng.chance(0.5) else spots[::-1]
    eyes.wide_open(rng)(sketch, [watching])
    eyes.shut_eye(sketch, shut)
    if rng.chance(0.87):
        mouths.curved_mouth(sketch, layout, upwards=True)
    else:
        mouths.open_mouth(sketch, layout, fullness=0.8)


def _tongue(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    if sketch.rng.chance(0.06):
        eyes.squeezed_eyes(sketch, spots)
    else:
        _open_or_closed_eyes(sketch, spots, closed=0.42)
    mouths.tongue(sketch, layout)


def _frowning(sketch: Sketch, layout: Layout, spots: Sequence[Spot]) -> None:
    style = sketch.rng.random()
    if style < 0.05:
        eyes.tired_eyes(sketch, spots)
    elif style < 0.09 and not sketch.neat:
        eyes.mismatched_eyes(sketch, spots)
    else:
        _open_or_closed_eyes(sketch, spots, closed=0.08)
    mouths.curved_mouth(sketch, layout, upwards=False)


@dataclass(frozen=True)
class _Class:
    """How the faces of a class are drawn.

    Attributes:
        draw: Draws eyes and mouth.
        brows: Part of the faces with brows that mean nothing.
        worried: How far their outer ends may hang, radians.
        extras: Most parts without meaning. Faces of much ink get few of them, so that ink does not tell the class.
    """

    draw: Callable[[Sketch, Layout, Sequence[Spot]], None]
    brows: float
    worried: float
    extras: int


_CLASSES: Final = {
    "slightly_smiling_face": _Class(_slightly_smiling, 0.17, 0.25, 5),
    "smiling_face_with_heart_eyes": _Class(_heart_eyes, 0.08, 0.2, 2),
    "neutral_face": _Class(_neutral, 0.2, 0.2, 5),
    "angry_face": _Class(_angry, 0.0, 0.0, 3),
    "face_with_tears_of_joy": _Class(_tears_of_joy, 0.36, 0.35, 1),
    "winking_face": _Class(_winking, 0.24, 0.25, 5),
    "face_with_tongue": _Class(_tongue, 0.15, 0.25, 3),
    "frowning_face": _Class(_frowning, 0.26, 0.6, 5),
}


def draw_face(sketch: Sketch, layout: Layout, label: int, outlined: bool) -> None:
    """Draws a face of a class, an index into `CLASSES`, with or without the head's outline."""
    kind = _CLASSES[CLASSES[label]]
    draw_head(sketch, outlined)
    draw_extras(sketch, layout, kind.extras)
    spots = eyes.place_eyes(sketch, layout)
    if sketch.rng.chance(kind.brows):
        eyes.calm_brows(sketch, spots, kind.worried)
    kind.draw(sketch, layout, spots)
