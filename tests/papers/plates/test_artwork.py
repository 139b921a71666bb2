"""Generated plates: their formats, and that they are what they claim to be."""

import re

import numpy as np
import pytest

from retable.errors import ConfigError
from retable.papers.plates.artwork import draw_plate
from retable.papers.plates.artwork.formats import characters, fill_pattern
from retable.papers.plates.artwork.glyphs import BOLD, aspect, word
from retable.papers.plates.countries import CLASSES, class_list, class_parts, country_code, groups
from retable.synthetic.rng import RandomStream

FORMATS = {
    "us": r"[A-Z0-9]{6,7}",
    "eu": r"[A-Z0-9]{5,10}",
    "tr": r"(0[1-9]|[1-7]\d|8[01])[A-Z]{1,3}\d{2,4}",
    "in": r"[A-Z]{2}\d{2}[A-Z]{1,2}\d{4}",
    "uae": r"([A-Z]|\d{1,2})\d{3,5}",
    "ksa": r"[1-9]\d{0,3}[ABJDRSXTEGKLZNHUV]{2,3}",
    "br": r"[A-Z]{3}\d[A-Z0-9]\d{2}",
}


def test_the_classes_are_the_papers_eleven_and_brazil() -> None:
    assert len([name for name in CLASSES if not name.startswith("br")]) == 11
    assert class_list(CLASSES).titles[:3] == ("USA, one line", "Europe, one line", "Europe, two lines")
    told = groups(["eu_2", "ksa_1", "cn_1"])
    assert told == {"country": ["eu", "ksa", "cn"], "language": ["latin", "arabic", "cn"], "layout": ["2", "1", "1"]}
    assert country_code("IND") == "in"
    assert country_code("Mars") is None
    with pytest.raises(ConfigError, match="'europe' is no class"):
        class_list(["europe", "us_1"])


@pytest.mark.parametrize("name", CLASSES)
def test_plates_say_what_their_country_issues(name: str) -> None:
    country, lines = class_parts(name) or ("", 0)
    for number in range(12):
        plate = draw_plate(RandomStream(5, number), country, lines, 0.2)
        assert (plate.country, plate.lines) == (country, lines)
        assert re.fullmatch(FORMATS[country], plate.text)
        size = plate.corners[2] - plate.corners[0]
        assert plate.aspect == pytest.approx(size[0] / size[1])
        assert plate.aspect > 3 if lines == 1 and country not in ("us",) else 0.8 < plate.aspect < 2.3
        assert (plate.corners >= 0).all()
        assert (plate.corners[2] <= np.array(plate.texture.shape[1::-1]) + 1).all()


def test_a_plate_is_the_same_at_every_scale() -> None:
    small, large = (draw_plate(RandomStream(7, 3), "in", 2, scale) for scale in (0.1, 0.5))
    assert small.text == large.text
    assert small.aspect == pytest.approx(large.aspect)
    assert large.texture.shape[0] > 4 * small.texture.shape[0]


def test_patterns_and_characters() -> None:
    text = fill_pattern(RandomStream(1), "AB°@@ 00-0", "XY")
    assert re.fullmatch(r"AB°[XY]{2} \d\d-\d", text)
    assert characters("AB·12 C") == "AB12C"


def test_arabic_words_are_joined() -> None:
    joined, apart = aspect(BOLD, "دبي"), aspect(BOLD, "د ب ي")
    assert joined < 0.8 * apart
    assert not np.array_equal(word(BOLD, "دبي"), word(BOLD, "يبد"))
