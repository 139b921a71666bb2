"""Projection of triangles, and which of them each pixel sees."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.cars.scenes.kernels import helper, kernel
from retable.cars.scenes.views import Camera

Floats = NDArray[np.float64]

AIM: Final = 0.7
"""Height of the point that the camera looks at, in metres."""


@kernel
def project(camera: Camera, positions: Floats, projected: Floats) -> None:
    """Project vertices onto a picture of focal length 1.

    Args:
        camera: Where the camera stands.
        positions: (V, 3) in metres.
        projected: (V, 3) is overwritten with x to the right, y down, and one by the depth.
    """
    away, rise = camera.distance, camera.height - AIM
    size = math.sqrt(away * away + rise * rise)
    cosine, sine = math.cos(camera.azimuth), math.sin(camera.azimuth)
    # unit vectors of the camera: into the picture, to the right and up
    fx, fy, fz = -cosine * away / size, -sine * away / size, -rise / size
    rx, ry = -sine, cosine
    ux, uy, uz = ry * fz, -rx * fz, rx * fy - ry * fx
    rc, rs = math.cos(camera.roll), math.sin(camera.roll)
    for vertex in range(len(positions)):
        x, y = positions[vertex, 0] - away * cosine, positions[vertex, 1] - away * sine
        z = positions[vertex, 2] - camera.height
        inverse = 1.0 / (fx * x + fy * y + fz * z)
        right, up = (rx * x + ry * y) * inverse, (ux * x + uy * y + uz * z) * inverse
        projected[vertex, 0] = rc * right + rs * up
        projected[vertex, 1] = rs * right - rc * up
        projected[vertex, 2] = inverse


@helper
def _edge(a: Floats, b: Floats, x: float, y: float) -> float:
    return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])


@kernel
def find_visible(
    triangles: NDArray[np.int32], projected: Floats, seen: NDArray[np.int32], weights: NDArray[np.float32]
) -> None:
    """Find the nearest triangle of each pixel; those that show their back are left out.

    Args:
        triangles: (T, 3) vertices.
        projected: (V, 3) x and y in pixels, and one by the depth.
        seen: (H, W) is overwritten with the triangle, -1 for none.
        weights: (H, W, 2) is overwritten with the weights of its second and third vertex.
    """
    height, width = seen.shape
    depth = np.zeros((height, width), np.float32)
    seen[:] = -1
    for triangle in range(len(triangles)):
        a, b, c = (
            projected[triangles[triangle, 0]],
            projected[triangles[triangle, 1]],
            projected[triangles[triangle, 2]],
        )
        area = _edge(a, b, c[0], c[1])
        if area >= -1e-9:  # y points down: what is anticlockwise seen from outside has a negative area
            continue
        left, right = max(0, int(min(a[0], b[0], c[0]) - 0.5)), min(width - 1, int(max(a[0], b[0], c[0]) + 0.5))
        top, bottom = max(0, int(min(a[1], b[1], c[1]) - 0.5)), min(height - 1, int(max(a[1], b[1], c[1]) + 0.5))
        scale = 1.0 / area
        second_x, third_x = (a[1] - c[1]) * -scale, (a[1] - b[1]) * scale
        for row in range(top, bottom + 1):
            y = row + 0.5
            second = _edge(c, a, left + 0.5, y) * scale
            third = _edge(a, b, left + 0.5, y) * scale
            for column in range(left, right + 1):
                if second >= 0.0 and third >= 0.0 and second + third <= 1.0:
                    near = a[2] + second * (b[2] - a[2]) + third * (c[2] - a[2])
                    if near > depth[row, column]:
                        depth[row, column] = near
                        seen[row, column] = triangle
                        weights[row, column, 0] = second
                        weights[row, column, 1] = third
                second += second_x
                third += third_x
