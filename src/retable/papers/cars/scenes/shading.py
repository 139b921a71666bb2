"""What each visible point of a car is made of, and the light that it sends to the camera."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from retable.kernels import helper, kernel
from retable.papers.cars.scenes.bodies import Body
from retable.papers.cars.scenes.materials import Light, Materials
from retable.papers.cars.scenes.mesh import MIRROR, SIDE, STRIP, TREAD, UNDERSIDE, WHEEL

Floats = NDArray[np.float64]
Material = tuple[float, float, float, float]
"""Linear red, green and blue, and the strength of reflections: below 0 the colour is light that the point sends out."""

_PLASTIC = (0.018, 0.018, 0.02, 0.25)
_DARK = (0.006, 0.006, 0.007, 0.05)
_RUBBER = (0.012, 0.012, 0.013, 0.08)


@helper
def _chance(seed: float, place: float) -> float:
    """Returns a number in [0, 1) that depends on both arguments."""
    mixed = (int(seed) * 73856093 + int(place * 2.0) * 19349663) & 0xFFFFFFFF
    for _ in range(2):
        mixed = ((mixed ^ (mixed >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 16)) & 0xFFFF) / 65536.0


@helper
def _bit(materials: Materials, place: int) -> bool:
    """Returns one of the twenty random bits of the car's seed."""
    return (int(materials.seed) >> place) & 1 == 1


@helper
def _car_paint(materials: Materials) -> Material:
    return materials.red, materials.green, materials.blue, materials.gloss


@helper
def _lamp(materials: Materials, across: float) -> Material:
    if materials.lamps_on > 0.5:
        return 1.6, 1.5, 1.3, -1.0
    tone = 0.25 + 0.35 * _chance(materials.seed, math.floor(across * 9.0))
    return tone, tone, tone * 1.03, 0.8


@helper
def _tail_lamp(materials: Materials, height: float) -> Material:
    """`height` goes from 0 below to 1 above."""
    if materials.brakes_on > 0.5 and height > 0.4:
        return 1.5, 0.16, 0.1, -1.0
    if 0.3 < height < 0.45 and _bit(materials, 1):
        return 0.5, 0.42, 0.38, 0.5
    if height < 0.3 and _bit(materials, 2):
        return 0.5, 0.16, 0.01, 0.5
    return 0.3, 0.012, 0.012, 0.5


@helper
def _plate(materials: Materials, across: float, up: float) -> Material:
    """Both coordinates go from -1 to 1."""
    if abs(across) > 0.96 or abs(up) > 0.88:
        return _DARK
    if across < -0.87:
        return 0.02, 0.05, 0.4, 0.1
    if abs(up) < 0.55 and abs(across - 0.05) < 0.82:
        cell = across * 7.0
        if _chance(materials.seed, math.floor(cell)) < 0.75 and 0.15 < cell - math.floor(cell) < 0.85:
            return 0.05, 0.05, 0.05, 0.1
    if materials.plate_yellow > 0.5:
        return 0.75, 0.5, 0.03, 0.1
    return 0.75, 0.75, 0.74, 0.1


@helper
def _glass(materials: Materials, through: float) -> Material:
    """A window: `through` is the share of light from windows on the other side."""
    light = materials.glass + materials.through * through * 0.3
    return light * (1.0 - 0.15 * materials.tint), light, light * (1.0 - 0.1 * materials.tint), 1.7


@helper
def _front(body: Body, outline: Floats, materials: Materials, across: float, z: float) -> Material:
    side, y = abs(across), across * 0.5 * body.width
    top, low = outline[3, 1] - 0.015, outline[2, 1] - materials.lamp_height
    if abs(y) < 0.27 and abs(z - outline[1, 1] - 0.02) < 0.06:
        return _plate(materials, y / 0.27, (z - outline[1, 1] - 0.02) / 0.06)
    if low < z < top:
        if side > materials.lamp_inner:
            return _lamp(materials, across) if side < 0.97 or materials.lamp_height > 0.03 else _car_paint(materials)
        if side < materials.grille:
            if abs(y) < 0.06 and abs(z - 0.5 * (top + low)) < 0.06:
                return 0.5, 0.5, 0.52, 1.0
            if side > materials.grille - 0.04 or z > top - 0.03:
                return materials.chrome, materials.chrome, materials.chrome, 1.0
            slat = (z - low) * 28.0
            return _PLASTIC if slat - math.floor(slat) > 0.4 else _DARK
    if abs(z - outline[0, 1] - 0.1) < 0.055 and side < 0.45 + 0.2 * _bit(materials, 3):
        return _DARK
    if side > 0.7 and abs(z - outline[0, 1] - 0.11) < 0.04 and _bit(materials, 4):
        return 0.4, 0.4, 0.4, 0.8
    return _PLASTIC if z < materials.plastic else _car_paint(materials)


@helper
def _rear(body: Body, outline: Floats, materials: Materials, place: float, across: float, z: float) -> Material:
    side, y = abs(across), across * 0.5 * body.width
    window, boot = outline[8, 1], outline[9, 1]
    if materials.tail_tall > 0.5:
        if (
            place > 6.6
            and side > 0.84
            and z < window + 0.75 * (outline[7, 1] - window)
            and z > boot - materials.tail_height
        ):
            span = materials.tail_height + 0.75 * (outline[7, 1] - window)
            return _tail_lamp(materials, (z - boot + materials.tail_height) / span)
    elif boot - materials.tail_height < z < boot - 0.01 and side > materials.tail_inner:
        return _tail_lamp(materials, (z - boot + materials.tail_height) / materials.tail_height)
    plate = min(max(materials.plate_height, outline[11, 1] + 0.15), boot - 0.12)
    if abs(y) < 0.27 and abs(z - plate) < 0.065:
        return _plate(materials, y / 0.27, (z - plate) / 0.065)
    if abs(y) < 0.35 and 0.0 < z - plate - 0.065 < 0.035:
        return (
            (materials.chrome, materials.chrome, materials.chrome, 0.8) if _bit(materials, 5) else _car_paint(materials)
        )
    if abs(y) < 0.05 and abs(z - boot + 0.09) < 0.05:
        return 0.45, 0.45, 0.46, 1.0
    bumper = outline[10, 1] + 0.06
    if abs(z - bumper) < 0.013 or (z > bumper and abs(side - 0.8 * materials.tail_inner - 0.17) < 0.012):
        return _DARK
    if side > 0.6 and abs(z - outline[11, 1] - 0.03) < 0.03 and _bit(materials, 6):
        return 0.3, 0.3, 0.3, 0.8
    if z < outline[11, 1] + 0.06 * _bit(materials, 7):
        return _PLASTIC
    return _PLASTIC if z < materials.plastic else _car_paint(materials)


@helper
def _swept(body: Body, outline: Floats, materials: Materials, place: float, across: float, z: float) -> Material:
    side = abs(across)
    if place < 3.05:
        return _front(body, outline, materials, across, z)
    if place < 4.03:
        return _DARK if place > 3.97 or (3.0 < place < 3.1) else _car_paint(materials)
    if place < 5.0:
        if side < 0.9 and place < 4.93:
            heads = min(abs(across - 0.4), abs(across + 0.4)) < 0.14 and place < 4.6
            return _glass(materials, 0.15 if heads or place < 4.25 else 0.8)
        return _car_paint(materials)
    if place < 7.0:
        return _car_paint(materials)
    if place < 8.0:
        if side < 0.87 and 7.1 < place < 7.95:
            if place < 7.16 and side < 0.15:
                return (1.4, 0.1, 0.08, -1.0) if materials.brakes_on > 0.5 else (0.12, 0.01, 0.01, 0.3)
            heads = min(abs(across - 0.42), abs(across + 0.42)) < 0.16 and place > 7.35
            return _glass(materials, 0.1 if heads or place > 7.75 else 0.9)
        if materials.tail_tall < 0.5:
            return _car_paint(materials)
    return _rear(body, outline, materials, place, across, z)


@helper
def _flank(body: Body, outline: Floats, roof: Floats, materials: Materials, x: float, z: float) -> Material:
    for axle in (body.front_axle, body.rear_axle):
        dx, dz = x - axle, z - body.wheel_radius
        away = math.sqrt(dx * dx + dz * dz)
        if away < body.arch_radius:
            return _DARK
        if materials.plastic > 0.4 and away < body.arch_radius + 0.06:
            return _PLASTIC
    nose, tail = 0.5 * body.length, -0.5 * body.length
    lamp = 0.12 + 0.3 * (1.0 - materials.lamp_inner)
    if x > nose - lamp - 0.12 and outline[2, 1] - materials.lamp_height < z < outline[3, 1] - 0.015:
        return _lamp(materials, x)
    boot = outline[9, 1]
    if materials.tail_tall > 0.5:
        height = (z - boot + materials.tail_height) / (materials.tail_height + 0.75 * (outline[7, 1] - outline[8, 1]))
        slope = (outline[7, 0] - outline[8, 0]) / (outline[7, 1] - outline[8, 1])
        edge = outline[8, 0] + max(0.0, z - outline[8, 1]) * slope
        if 0.0 < height < 1.0 and x < edge + 0.1:
            return _tail_lamp(materials, height)
    elif boot - materials.tail_height < z < boot - 0.01 and x < tail + 0.16 + 0.3 * (1.0 - materials.tail_inner):
        return _tail_lamp(materials, (z - boot + materials.tail_height) / materials.tail_height)
    bin_ = min(len(roof) - 1, max(0, int((x - tail) / body.length * len(roof))))
    belt = body.belt + 0.04 * (0.3 - x / body.length)  # rises a little towards the tail
    above = z - belt
    if above > 0.0:
        if z < roof[bin_] - 0.1 and x > body.window_end + 0.5 * above:
            pillar = 0.09 * above
            if abs(x - body.front_pillar + pillar) < 0.035:
                return _PLASTIC
            if body.rear_pillar < body.front_pillar and abs(x - body.rear_pillar + pillar) < 0.03:
                return _PLASTIC
            seat = 0.0 < body.front_pillar + 0.3 - x < 0.22 and above < 0.3
            return _glass(materials, 0.1 if seat else 0.55)
        return _car_paint(materials)
    if z < materials.plastic - 0.04:
        return _PLASTIC
    hinge = outline[4, 0] - 0.35
    door_end = body.rear_pillar if body.rear_pillar < body.front_pillar else body.front_pillar
    if z > body.clearance + 0.12:
        if abs(x - body.front_pillar) < 0.012 or abs(x - hinge) < 0.012:
            return _DARK
        if door_end < body.front_pillar and abs(x - door_end + 0.12 * (1.0 if z > 0.6 else 0.0)) < 0.012:
            return _DARK
    tone = materials.handles
    if -0.14 < above < -0.09 and (
        0.05 < x - body.front_pillar < 0.2 or (door_end < body.front_pillar and -0.06 < x - door_end < 0.1)
    ):
        return (
            min(0.8, 0.02 + materials.red * tone),
            min(0.8, 0.02 + materials.green * tone),
            min(0.8, 0.02 + materials.blue * tone),
            0.8,
        )
    if materials.strip > 0.5 and abs(z - 0.5 * body.belt - 0.03) < 0.025 and body.rear_axle < x < body.front_axle:
        return _PLASTIC
    return _car_paint(materials)


@helper
def _wheel(materials: Materials, dx: float, dz: float) -> Material:
    away = math.sqrt(dx * dx + dz * dz)
    if away > 0.68:
        return _RUBBER
    if away > 0.6 or away < 0.13:
        return materials.rim, materials.rim, materials.rim, 0.7
    turn = (math.atan2(dz, dx) + materials.spoke_phase) * materials.spokes / (2.0 * math.pi)
    if abs(turn - math.floor(turn) - 0.5) < 0.5 * materials.spoke_width:
        return materials.rim, materials.rim, materials.rim * 1.02, 0.6
    return _DARK


@helper
def _around(light: Light, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Returns the light from a direction: of the sky, the houses or the street."""
    if z > 0.0:
        column = math.floor(x * 4.0 + 0.3) * 7.0 + math.floor(y * 4.0 + 0.6)
        if z < light.houses * (0.3 + 0.7 * _chance(light.seed, column)):
            tone = light.house_tone * (0.5 + _chance(light.seed, column + 0.5)) * light.sky
            return tone, tone * 0.95, tone * 0.88
        blue = light.blue * (0.3 + 0.7 * z)
        bright = light.sky * (1.15 - 0.35 * z)
        return bright * (1.0 - 0.6 * blue), bright * (1.0 - 0.3 * blue), bright
    tone = light.ground * (light.sky + 0.6 * light.sun) * max(0.25, 1.0 + 1.2 * z)
    return tone, tone, tone * 0.97


@helper
def _shade(
    material: Material, light: Light, normal: tuple[float, float, float], view: tuple[float, float, float], open_: float
) -> tuple[float, float, float]:
    red, green, blue, gloss = material
    if gloss < 0.0:
        return red, green, blue
    nx, ny, nz = normal
    facing = nx * view[0] + ny * view[1] + nz * view[2]
    sunny = nx * light.sun_x + ny * light.sun_y + nz * light.sun_z
    direct = light.sun * max(0.0, sunny) * open_
    up = 0.5 + 0.5 * nz
    indirect = light.sky * (0.25 + 0.75 * up) * open_ + light.ground * (light.sky + 0.5 * light.sun) * (1.0 - up)
    warm = 1.0 - 0.35 * light.warm
    # reflections: stronger at a flat angle
    rx, ry, rz = 2.0 * facing * nx - view[0], 2.0 * facing * ny - view[1], 2.0 * facing * nz - view[2]
    flat = 1.0 - min(1.0, max(0.0, facing))
    share = gloss * min(0.9, 0.045 + 0.5 * flat * flat * flat)
    mirrored = _around(light, rx, ry, rz)
    glint = max(0.0, rx * light.sun_x + ry * light.sun_y + rz * light.sun_z)
    for _ in range(5):
        glint *= glint
    glint *= light.sun * gloss * 1.2 * open_
    return (
        red * (direct + indirect) + share * mirrored[0] + glint,
        green * (direct * (0.5 + 0.5 * warm) + indirect) + share * mirrored[1] + glint,
        blue * (direct * warm + indirect) + share * mirrored[2] + glint,
    )


@helper
def _roof_heights(body: Body, outline: Floats) -> Floats:
    """Height of the outline's upper side at steps along the car, from tail to nose."""
    heights = np.empty(96)
    for step in range(len(heights)):
        x = ((step + 0.5) / len(heights) - 0.5) * body.length
        heights[step] = outline[9, 1]
        for corner in range(3, 9):
            front, rear = outline[corner, 0], outline[corner + 1, 0]
            if rear <= x <= front:
                rise = (outline[corner, 1] - outline[corner + 1, 1]) / (front - rear + 1e-9)
                heights[step] = outline[corner + 1, 1] + (x - rear) * rise
    return heights


@kernel
def shade(
    body: Body,
    outline: Floats,
    materials: Materials,
    light: Light,
    camera: tuple[float, float, float],
    triangles: NDArray[np.int32],
    parts: NDArray[np.int32],
    positions: Floats,
    normals: Floats,
    traits: Floats,
    seen: NDArray[np.int32],
    weights: NDArray[np.float32],
    picture: NDArray[np.float32],
) -> None:
    """Writes what the camera sees.

    Args:
        body: Sizes of the car.
        outline: (12, 2) corners of its side view.
        materials: Its materials.
        light: The light around it.
        camera: Place of the camera, in metres.
        triangles: (T, 3) vertices.
        parts: (T,) part of each.
        positions: (V, 3), as normals and traits: see `retable.papers.cars.scenes.mesh.build`.
        normals: See positions.
        traits: See positions.
        seen: (H, W) triangle of each pixel, -1 for none.
        weights: (H, W, 2), see `retable.papers.cars.scenes.raster.find_visible`.
        picture: (H, W, 4) is overwritten with red, green and blue in [0, 1], to be shown as they are, and 1 where there
            is a car; all are 0 elsewhere.
    """
    roof = _roof_heights(body, outline)
    height, width = seen.shape
    for row in range(height):
        for column in range(width):
            triangle = seen[row, column]
            if triangle < 0:
                for channel in range(4):
                    picture[row, column, channel] = 0.0
                continue
            one, two, three = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
            b, c = weights[row, column, 0], weights[row, column, 1]
            a = 1.0 - b - c
            t0 = a * traits[one, 0] + b * traits[two, 0] + c * traits[three, 0]
            t1 = a * traits[one, 1] + b * traits[two, 1] + c * traits[three, 1]
            t2 = a * traits[one, 2] + b * traits[two, 2] + c * traits[three, 2]
            nx = a * normals[one, 0] + b * normals[two, 0] + c * normals[three, 0]
            ny = a * normals[one, 1] + b * normals[two, 1] + c * normals[three, 1]
            nz = a * normals[one, 2] + b * normals[two, 2] + c * normals[three, 2]
            x = a * positions[one, 0] + b * positions[two, 0] + c * positions[three, 0]
            y = a * positions[one, 1] + b * positions[two, 1] + c * positions[three, 1]
            z = a * positions[one, 2] + b * positions[two, 2] + c * positions[three, 2]
            part = parts[triangle]
            open_ = min(1.0, 0.45 + 0.9 * z)  # the street and the car itself take light away below
            if part == STRIP:
                material = _swept(body, outline, materials, t0, t1, t2)
            elif part == SIDE:
                material = _flank(body, outline, roof, materials, t0, t2)
                if t2 < body.belt:  # pressed steel: leaning up above the crease, down below it
                    edge = body.belt * materials.crease
                    nz += 0.22 if t2 > edge else -0.1 - 0.2 * (edge - t2) / edge
            elif part == WHEEL:
                material = _wheel(materials, t0, t1)
            elif part == TREAD:
                material = _RUBBER
                open_ *= 0.6
            elif t0 == MIRROR:
                material = _car_paint(materials) if _bit(materials, 8) else _PLASTIC
            elif t0 == UNDERSIDE:
                material = _DARK
                open_ *= 0.4
            else:
                material = (0.2, 0.2, 0.21, 0.5) if _bit(materials, 9) else _PLASTIC
            if materials.dirt > 0.0 and material[3] >= 0.0 and z < 0.75:
                share = materials.dirt * (1.0 - z / 0.75)
                material = (
                    material[0] + share * (0.12 - material[0]),
                    material[1] + share * (0.1 - material[1]),
                    material[2] + share * (0.08 - material[2]),
                    material[3] * (1.0 - share),
                )
            size = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            vx, vy, vz = camera[0] - x, camera[1] - y, camera[2] - z
            away = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
            colour = _shade(
                material, light, (nx * size, ny * size, nz * size), (vx * away, vy * away, vz * away), open_
            )
            for channel in range(3):
                value = light.haze + light.exposure * colour[channel]
                value = value * (1.0 + 0.1 * value) / (1.0 + 0.55 * value)  # highlights do not clip at once
                picture[row, column, channel] = min(1.0, math.sqrt(value))
            picture[row, column, 3] = 1.0
