"""The pictures of a table's best and worst row, small enough to stand in the page."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retable.run import paths
from retable.tables.results import TableResult
from retable.tables.spec import Column
from retable.tables.store import Status

_NAMES = ("detections.png", "samples.png", "predictions.png")
_WIDTH, _QUALITY = 1200, 80


@dataclass(frozen=True)
class Pair:
    """The best and the worst row of a column by their means, with a picture of the same name and seed each.

    Attributes:
        column: The column.
        seed: The seed of both.
        rows: The best and the worst row.
        files: Their pictures.
        same_data: Whether both were measured on the same data, and so show the same images.
    """

    column: Column
    seed: int
    rows: tuple[str, str]
    files: tuple[Path, Path]
    same_data: bool


def choose(result: TableResult) -> Pair | None:
    """The best and the worst row in the first column of which two rows have pictures."""
    return next((pair for column in result.table.columns.values() for pair in _pairs(result, column)), None)


def _pairs(result: TableResult, column: Column) -> Iterator[Pair]:
    for name in _NAMES:
        for seed in result.seeds:
            ranked: list[tuple[float, str, Status]] = []
            for row in result.table.rows:
                entry = result.entries[row, column.label]
                if seed in entry.values and entry.summary.mean is not None:
                    status = entry.statuses[seed]
                    if (status.folder / paths.PLOTS / name).is_file():
                        ranked.append((entry.summary.mean, row, status))
            if len(ranked) < 2:
                continue
            ranked.sort(key=lambda item: item[0], reverse=column.higher_is_better)
            (_, best, first), (_, worst, last) = ranked[0], ranked[-1]
            files = (first.folder / paths.PLOTS / name, last.folder / paths.PLOTS / name)
            prints = {status.record.data.get("fingerprint") for status in (first, last) if status.record is not None}
            yield Pair(column, seed, (best, worst), files, len(prints) == 1)


def encode(path: Path) -> tuple[str, int, int] | None:
    """A picture as a data URL of a JPEG, with its width and height; None if it cannot be read."""
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
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}", width, height
