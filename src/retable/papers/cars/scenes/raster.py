"""Projection of triangles, and which of them each pixel sees."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from retable.kernels import kernel
from retable.papers.cars.scenes.views import Camera

Floats = NDArray[np.float64]

AIM: Final = 0.7
"""Height of the point that the camera looks at, in metres."""


@kernel
def project(camera: Camera, positions: Floats, projected: Floats) -> None:
    """Projects vertices onto a picture of focal length 1.

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


@kernel
def find_visible(
    triangles: NDArray[np.int32], projected: Floats, seen: NDArray[np.int32], weights: NDArray[np.float32]
) -> None:
    """Finds the nearest triangle of each pixel; those that show their back are left out.

    Args:
        triangles: (T, 3) vertices.
        projected: (V, 3) x and y in pixels, and one by the depth.
        seen: (H, W) is overwritten with the triangle, -1 for none.
        weights: (H, W, 2) is overwritten with the weights of its second and third vertex.
    """
    height, width = seen.shape
    depth = np.zeros((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            seen[row, column] = -1
    for triangle in range(len(triangles)):
        a, b, c = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
        ax, ay, az = projected[a, 0], projected[a, 1], projected[a, 2]
        bx, by = projected[b, 0] - ax, projected[b, 1] - ay
        cx, cy = projected[c, 0] - ax, projected[c, 1] - ay
        area = bx * cy - by * cx
        if area >= -1e-9:  # y points down: what is anticlockwise seen from outside has a negative area
            continue
        left, right = max(0, int(ax + min(0.0, bx, cx) - 0.5)), min(width - 1, int(ax + max(0.0, bx, cx) + 0.5))
        top, bottom = max(0, int(ay + min(0.0, by, cy) - 0.5)), min(height - 1, int(ay + max(0.0, by, cy) + 0.5))
        scale = 1.0 / area
        nearer_b, nearer_c = projected[b, 2] - az, projected[c, 2] - az
        for row in range(top, bottom + 1):
            x, y = left + 0.5 - ax, row + 0.5 - ay
            second, third = (x * cy - y * cx) * scale, (bx * y - by * x) * scale
            for column in range(left, right + 1):
                if second >= 0.0 and third >= 0.0 and second + third <= 1.0:
                    near = az + second * nearer_b + third * nearer_c
                    if near > depth[row, column]:
                        depth[row, column] = near
                        seen[row, column] = triangle
                        weights[row, column, 0] = second
                        weights[row, column, 1] = third
                second += cy * scale
                third -= by * scale
