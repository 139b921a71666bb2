"""The generated photos: what they show is where they say."""

import numpy as np
import pytest

from retable.errors import ConfigError
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.papers.barcodes.scenes.surfaces import Bend, Crease, Surface, turned_plane
from retable.papers.barcodes.symbology.ean13 import encode, is_valid
from retable.papers.barcodes.warping import sides, warp

SCENES = BarcodeScenes("train", 400, 640, 3)


def test_sharp_symbols_can_be_read_at_their_corners() -> None:
    """On flat sides in focus each module has the middle of its place in the quadrangle, in reading order."""
    tried = read = 0
    for index in range(90):
        layout = SCENES.layout(index)
        if (
            layout.blur > 0.3 * layout.module
            or layout.module < 2
            or not layout.packages
            or not layout.packages[-1].surface.is_flat
        ):
            continue
        image, symbols, _ = SCENES.load(index)
        if symbols and sides(symbols[0].corners)[0] > 170:
            tried += 1
            rows = warp(image, symbols[0].corners, 95, 16).astype(float).mean(2)[4:12]
            local = np.stack([np.convolve(np.pad(row, 12, "edge"), np.ones(25) / 25, "valid") for row in rows])
            votes = np.median(rows - local, axis=0) < 0
            read += bool((votes == encode(symbols[0].code)).mean() > 0.9)
    assert tried >= 5
    assert read >= 0.7 * tried  # glare and noise take some


def test_all_of_a_symbol_is_in_the_frame_and_in_order() -> None:
    counts, kinds, blurs = [], set(), []
    for index in range(200):
        layout = SCENES.layout(index)
        symbols = layout.symbols
        counts.append(sum(symbol.kind == "ean13" for symbol in symbols))
        kinds |= {symbol.kind for symbol in symbols}
        blurs.append(layout.blur / (layout.module or 3.0))
        for symbol in symbols:
            x, y = symbol.corners[:, 0], symbol.corners[:, 1]
            assert (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() > 0, "clockwise on the screen"
            if symbol.kind == "ean13":
                assert is_valid(symbol.code)
        for package in layout.packages:
            for placed in package.labels[:1]:
                corners = package.seen(placed.on_side(placed.label.corners))
                assert corners.min() >= 0
                assert (corners.max(0) <= (640, 480)).all()
    assert {0, 1, 2} <= set(counts)
    assert kinds == {"ean13", "ean8", "upce", "code128", "code39", "itf", "add_on"}
    assert 0.35 < np.mean(np.array(blurs) > 0.7) < 0.65, "half of them are far out of focus"


def test_scenes_depend_on_seed_split_and_index_alone() -> None:
    image, symbols, _ = SCENES.load(7)
    again, same, _ = BarcodeScenes("train", 400, 640, 3).load(7)
    assert image.shape == (480, 640, 3)
    assert image.dtype == np.uint8
    assert np.array_equal(image, again)
    assert [symbol.code for symbol in symbols] == [symbol.code for symbol in same]
    assert not np.array_equal(image, BarcodeScenes("val", 400, 640, 3).load(7)[0])
    assert SCENES.fingerprint() != BarcodeScenes("train", 400, 640, 4).fingerprint()
    with pytest.raises(IndexError):
        SCENES.load(400)
    with pytest.raises(ConfigError, match="image_size"):
        BarcodeScenes("train", 4, 100)


def test_maps_are_the_inverse_of_what_is_seen() -> None:
    plane = np.array([(1.0, 0.0, 160.0), (0.0, 1.0, 120.0), (0.0, 0.0, 1.0)]) @ turned_plane(0.3, -0.2, 0.5, 600.0, 0.8)
    creases = (Crease(0.4, 20.0, 30.0, 6.0, 0.3), Crease(2.0, -30.0, 50.0, -10.0, 0.3))
    for surface in (
        Surface(plane),
        Surface(plane, Bend(150.0, 10.0, 0.3, False)),
        Surface(plane, Bend(200.0, 0.0, -0.4, True), creases),
    ):
        field = surface.map(0, 0, 320, 240, 1.0, np.zeros(2))
        assert field.shape == (240, 320, 2)
        assert np.allclose(surface.map(0, 0, 320, 240, 0.5, np.array([3.0, 4.0])), field * 0.5 + (3, 4), atol=1e-3)
        for x, y in ((160, 120), (120, 90), (200, 150)):
            known = field[y, x].astype(float)
            assert np.allclose(surface.seen(known[None])[0], (x + 0.5, y + 0.5), atol=0.25)
