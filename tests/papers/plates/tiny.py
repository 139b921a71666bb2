"""Small collections of plates, written by the tests."""

from pathlib import Path

import cv2
import numpy as np

HEADER = "path,kind,country,lines,x,y,w,h,text,width,height,source\n"


def write_image(path: Path, width: int = 60, height: int = 40, value: int = 80, grey: bool = False) -> None:
    """Writes an even image, in colours or grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (height, width) if grey else (height, width, 3)
    cv2.imwrite(str(path), np.full(shape, value, np.uint8))


def write_manifest(root: Path, rows: list[str]) -> None:
    """Writes the rows of a manifest, and the pictures that it names and that are not there."""
    for number, row in enumerate(rows):
        path = root / row.split(",")[0]
        if not path.exists():
            write_image(path, value=number % 200 + 20)
    (root / "manifest.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))


def scene(name: str, country: str = "EU", box: str = "10,20,30,8", source: str = "a") -> str:
    """Returns a row of a scene."""
    return f"scenes/{name}.png,scene,{country},1,{box},AB12,60,40,{source}"


def crop(name: str, country: str = "EU", lines: str = "1", source: str = "a") -> str:
    """Returns a row of a crop."""
    return f"crops/{name}.png,crop,{country},{lines},,,,,,60,40,{source}"
