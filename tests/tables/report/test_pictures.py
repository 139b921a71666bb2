import base64
import re

import cv2
import numpy as np
import pytest
from tests.tables.report.example import DONE, YAML, build

from retable.tables.report import html, pictures


def draw(result, row, column, seed, name="detections.png", width=300, value=128):
    status = result.entries[row, column].statuses[seed]
    path = status.folder / "plots" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((150, width, 3), value, np.uint8))
    status.record.pictures.update({f"plots/{name}": f"what is in {name}", "plots/curves.png": "curves"})


def test_the_best_and_the_worst_row_at_the_same_seed(tmp_path):
    result = build(tmp_path, DONE)
    for row in ("Baseline", "LARSD-1", "LARSD-3"):
        draw(result, row, "HRSC2016", 2)
    draw(result, "Baseline", "HRSC2016", 1)
    pair = pictures.choose(result)
    assert (pair.best[0], pair.worst[0]) == ("LARSD-3", "Baseline")
    assert (pair.seed, pair.column.label, pair.same_data) == (2, "HRSC2016", True)
    assert "seed 2, on the same data: what is in detections.png." in html.document(result, tmp_path)


def test_lower_may_be_better_and_other_columns_may_have_the_pictures(tmp_path):
    result = build(tmp_path, DONE, text=YAML.replace("unit:", "better: lower\nunit:"))
    for row in ("Baseline", "LARSD-3"):
        draw(result, row, "SSDD", 3, "samples.png")
    pair = pictures.choose(result)
    assert (pair.best[0], pair.worst[0]) == ("Baseline", "LARSD-3")
    assert (pair.column.label, pair.best[1].name) == ("SSDD", "samples.png")


def test_different_data_are_not_called_the_same(tmp_path):
    result = build(tmp_path, DONE)
    for row in ("Baseline", "LARSD-3"):
        draw(result, row, "HRSC2016", 1)
    result.entries["Baseline", "HRSC2016"].statuses[1].record.data["fingerprint"] = "other"
    assert not pictures.choose(result).same_data
    assert "seed 1, not on the same data: " in html.document(result, tmp_path)


def test_pictures_are_embedded_small(tmp_path):
    result = build(tmp_path, DONE)
    draw(result, "Baseline", "HRSC2016", 1, width=2400)
    draw(result, "LARSD-3", "HRSC2016", 1, width=300)
    document = html.document(result, tmp_path)
    sizes = []
    for data in re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", document):
        sizes.append(cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR).shape)
    assert sizes == [(150, 300, 3), (75, 1200, 3)]


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_damaged_pictures_are_left_out(tmp_path, content):
    result = build(tmp_path, DONE)
    for row in ("Baseline", "LARSD-3"):
        draw(result, row, "HRSC2016", 1)
        (result.entries[row, "HRSC2016"].statuses[1].folder / "plots" / "detections.png").write_bytes(content)
    assert "Best and worst" not in html.document(result, tmp_path)


def test_without_two_rows_there_are_no_pictures(tmp_path):
    result = build(tmp_path, DONE)
    draw(result, "Baseline", "HRSC2016", 1)
    assert pictures.choose(result) is None


def test_the_picture_that_a_run_names_first_is_shown_whatever_it_is_called(tmp_path):
    result = build(tmp_path, DONE)
    for row in ("Baseline", "LARSD-1", "LARSD-3"):
        draw(result, row, "HRSC2016", 1, "of_a_new_model.png")
        draw(result, row, "HRSC2016", 1, "second.png")
    result.entries["LARSD-3", "HRSC2016"].statuses[1].record.pictures.pop("plots/of_a_new_model.png")
    pair = pictures.choose(result)
    assert (pair.best[0], pair.worst[0]) == ("LARSD-1", "Baseline")
    assert pair.best[1].name == "of_a_new_model.png"
    assert "what is in of_a_new_model.png of LARSD-1, best row" in html.document(result, tmp_path)
