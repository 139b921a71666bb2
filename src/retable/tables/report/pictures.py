"""The pictures of a table's best and worst row, small enough to stand in the page."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retable.run.record import Record, tested_fingerprint
from retable.tables.results import TableResult
from retable.tables.spec import Column

_WIDTH, _QUALITY = 1200, 80


@dataclass(frozen=True)
class Pair:
    """The best and the worst row of a column by their means, with the same picture of the same seed each.

    Attributes:
        column: The column.
        seed: The seed of both.
        title: What the pictures show, as their records tell it.
        best: The best row and its picture.
        worst: The worst row and its picture.
        same_data: Whether both were measured on the same data.
    """

    column: Column
    seed: int
    title: str
    best: tuple[str, Path]
    worst: tuple[str, Path]
    same_data: bool


def choose(result: TableResult) -> Pair | None:
    """The best and the worst row in the first column of which two rows have the same first picture in their records."""
    return next((pair for column in result.table.columns.values() for pair in _pairs(result, column)), None)


def _pairs(result: TableResult, column: Column) -> Iterator[Pair]:
    means = {row: result.entries[row, column.label].summary.mean for row in result.table.rows}
    known = [(mean, row) for row, mean in means.items() if mean is not None]
    rows = [row for _, row in sorted(known, key=lambda item: item[0], reverse=column.higher_is_better)]
    for seed in result.seeds:
        found: dict[tuple[str, str], list[tuple[str, Path, Record]]] = {}  # by path and title, the best row first
        for row in rows:
            status = result.entries[row, column.label].statuses.get(seed)
            if status is not None and status.record is not None and status.record.pictures:
                first = next(iter(status.record.pictures.items()))
                if (status.folder / first[0]).is_file():
                    found.setdefault(first, []).append((row, status.folder / first[0], status.record))
        for (_, title), shown in found.items():
            if len(shown) > 1:
                (best, best_file, one), (worst, worst_file, other) = shown[0], shown[-1]
                same_data = tested_fingerprint(one.data) == tested_fingerprint(other.data)
                yield Pair(column, seed, title, (best, best_file), (worst, worst_file), same_data)


@dataclass(frozen=True)
class Embedded:
    """A picture as it stands in the page: the data URL of a JPEG, and its size in pixels."""

    source: str
    width: int
    height: int


def embed(path: Path) -> Embedded | None:
    """A picture small enough to stand in the page; None if it cannot be read."""
    import cv2  # only here: a report without pictures does without it

    try:
        image = cv2.imread(str(path))
    except cv2.error:
        return None
    if image is None:
        return None
    height, width = image.shape[:2]
    if width > _WIDTH:
        height, width = max(1, round(height * _WIDTH / width)), _WIDTH
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        return None
    return Embedded(f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}", width, height)
