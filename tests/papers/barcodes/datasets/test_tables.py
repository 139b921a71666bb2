"""Lists of marked photos, whatever was done to them on the way."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from retable.errors import DataError
from retable.papers.barcodes.datasets.tables import find_lists, read_list

CORNERS = "10,12,90,14,88,52,9,50"
GOOD = f"a.png,4006381333931,{CORNERS},ean13"


def folder(
    root: Path, rows: list[str], encoding: str = "utf-16", name: str = "markup.csv", images: str = "Images"
) -> Path:
    (root / images).mkdir(parents=True, exist_ok=True)
    for file in ("a.png", "b.png"):
        cv2.imwrite(str(root / images / file), np.full((60, 100, 3), 200, np.uint8))
    (root / name).write_bytes("\n".join(rows).encode(encoding))
    return root / name


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig", "utf-16-le"])
def test_the_notebooks_layout(tmp_path: Path, encoding: str) -> None:
    found = read_list(folder(tmp_path, [GOOD, f"b.png,36000291452,{CORNERS},upca"], encoding))
    first, second = found.photos
    assert first.name == "a.png"
    assert first.symbols[0].code == "4006381333931"
    assert first.symbols[0].corners.tolist() == [[10, 12], [90, 14], [88, 52], [9, 50]]
    assert not first.symbols[0].is_box
    assert second.symbols[0].code == "0036000291452", "the zeros that a spreadsheet lost come back"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"c.png,4006381333931,{CORNERS},x", "no photo"),
        (f"a.png,4006381333932,{CORNERS},x", "should be 1"),
        (f"a.png,400638133393,{CORNERS},x", "0400638133393"),
        (f"a.png,40063813339311,{CORNERS},x", "has 13 digits"),
        (f"a.png,4.00638E+12,{CORNERS},x", "digits only"),
        ("a.png,4006381333931,10,12,90,14,88,52,9,x,x", "y4 is 'x'"),
        ("a.png,4006381333931,10,12,90,14", "6 columns"),
        ("a.png,4006381333931,10,12,90,14,90,14,9,50,x", "no quadrangle"),
        ("a.png,4006381333931,210,12,290,14,288,52,209,50,x", "100 x 60 pixels"),
    ],
)
def test_rows_with_a_fault_are_named_or_left_out(tmp_path: Path, row: str, said: str) -> None:
    path = folder(tmp_path, [GOOD, row], "utf-8")
    with pytest.raises(DataError, match=said) as told:
        read_list(path)
    assert f"{path}:2" in str(told.value)
    if "columns" not in said:
        left = read_list(path, leave_out=True)
        assert len(left.photos) == 1
        assert "1 rows" in left.notes[0]
        assert f"{path}:2" in left.notes[0]


def test_corners_in_another_order_are_put_in_order(tmp_path: Path) -> None:
    rows = [
        "a.png,4006381333931,10,12,9,50,88,52,90,14,x",  # anticlockwise
        "b.png,4006381333931,10,12,90,14,9,50,88,52,x",  # row by row
        "b.png,4006381333931,-5,12,90,14,88,52,-5,50,x",  # a little outside
    ]
    found = read_list(folder(tmp_path, rows))
    wanted = [[10, 12], [90, 14], [88, 52], [9, 50]]
    assert found.photos[0].symbols[0].corners.tolist() == wanted
    assert found.photos[1].symbols[0].corners.tolist() == wanted
    assert len(found.photos[1].symbols) == 2
    assert "2 rows" in found.notes[0]


def test_labels_with_boxes(tmp_path: Path) -> None:
    rows = ["path,set,code,xmin,ymin,xmax,ymax", "a.png,1,4006381333931,10,12,90,52", "b.png,2,36000291452,1,2,30,40"]
    found = read_list(folder(tmp_path, rows, "utf-8", "labels.csv", "photos"))
    assert [photo.group for photo in found.photos] == ["1", "2"]
    assert found.photos[0].symbols[0].is_box
    assert found.photos[0].symbols[0].corners.tolist() == [[10, 12], [90, 12], [90, 52], [10, 52]]
    (tmp_path / "labels.csv").write_text("path,code\na.png,1")
    with pytest.raises(DataError, match="xmin"):
        read_list(tmp_path / "labels.csv")


def test_where_lists_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"markup\.csv"):
        find_lists(tmp_path)
    train = folder(tmp_path / "Train", [GOOD])
    (tmp_path / "Test" / "Images").mkdir(parents=True)  # without a markup
    assert find_lists(tmp_path) == {"train": train}
    assert find_lists(tmp_path / "Train") == {"all": train}
    with pytest.raises(DataError, match=r"predict\.py"):
        find_lists(tmp_path / "Test")
    (tmp_path / "broken.csv").write_bytes(b"\x80\x81")
    with pytest.raises(DataError, match="UTF-16"):
        read_list(tmp_path / "broken.csv")
