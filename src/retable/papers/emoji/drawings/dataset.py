"""The generated drawings as a sequence."""

from __future__ import annotations

import numpy as np

from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.drawings.faces import draw_face
from retable.papers.emoji.drawings.layout import PAGE, draw_face_frame, draw_head_frame, draw_layout
from retable.papers.emoji.drawings.paper import add_rules, draw_camera
from retable.papers.emoji.drawings.sketch import Ink, Sketch
from retable.papers.emoji.drawings.tools import Trait, draw_medium, draw_palette, draw_tool
from retable.synthetic.camera import add_noise, blur, compress, illuminate
from retable.synthetic.dataset import GeneratedDataset
from retable.synthetic.raster import Image


class EmojiDrawings(GeneratedDataset):
    """Synthetic hand-drawn emoji; see `retable.synthetic.dataset.GeneratedDataset`.

    The classes take turns: drawing i is of class i modulo 8.

    Args:
        count: Number of drawings.
        image_size: Side of the square images in pixels, 16 to 1024.
        seed: Seed of all drawings.
        split: `train`, `val` or `test`.

    Raises:
        ConfigError: A parameter is out of range or unknown.
    """

    title = "emoji drawings"
    version = 3
    sizes = (16, 1024)
    splits = ("train", "val", "test")

    def __init__(self, count: int, image_size: int = 64, seed: int = 0, split: str = "train") -> None:
        super().__init__(count, image_size, seed, split)

    def label(self, index: int) -> int:
        """Returns a drawing's class as an index into `CLASSES`; raises IndexError where there is no such drawing."""
        self._check(index)
        return index % len(CLASSES)

    def medium(self, index: int) -> str:
        """Returns what a drawing is made with: pen, marker, pencil, mouse, shapes, paint or paper."""
        return draw_medium(self._stream(index)).name

    def image(self, index: int) -> Image:
        """Renders a drawing as uint8 RGB (size, size, 3); raises IndexError where there is no such drawing."""
        from retable.papers.emoji.drawings.raster import render_strokes  # half a second, on first use only

        rng = self._stream(index)
        medium = draw_medium(rng)
        head, radius = draw_head_frame(rng, medium.neat)
        tool = draw_tool(rng, medium, radius)
        coloured = rng.chance(medium.coloured)
        outlined = not rng.chance(0.15 if coloured else 0.09)
        palette = draw_palette(rng, medium, coloured)
        camera = draw_camera(rng, medium.photographed)
        frames = (PAGE, head, draw_face_frame(rng, head, radius, outlined, medium.neat))
        sketch = Sketch(rng, coloured, medium.neat)
        if medium.photographed:
            add_rules(sketch, tool[Trait.WIDTH])
        draw_face(sketch, draw_layout(rng), index % len(CLASSES), outlined)

        canvas = np.empty((self.size, self.size, 3), np.float32)
        canvas[:] = palette[Ink.PAPER]
        render_strokes(
            canvas,
            np.array(sketch.rows, np.float64),
            np.array(palette),
            np.array(frames),
            np.array(camera.perspective),
            np.array(tool),
            rng.seed(),
        )
        image = add_noise(illuminate(canvas, camera.light), camera.noise, rng)
        return compress(blur(image, camera.blur * self.size), camera.quality)
