"""OpenCV's cascade of Haar features for Russian plates, as it comes."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn

from retable.detection.tiles import Prediction
from retable.detection.transforms import to_image
from retable.errors import ConfigError
from retable.nn.backbones import download_address
from retable.nn.fitting import NothingToFit
from retable.papers.plates.plate_detector import PlateDetector
from retable.papers.plates.rivals.haar import Cascade, read_cascade
from retable.papers.plates.rivals.schema import CascadeConfig

_NAME = "haarcascade_russian_plate_number.xml"
_ADDRESS = f"https://raw.githubusercontent.com/opencv/opencv/4.12.0/data/haarcascades/{_NAME}"
_ALIKE = 0.2  # windows whose sides differ by less than this part of their own lengths are of one plate


class CascadeDetector(NothingToFit, PlateDetector):
    """The cascade; windows that agree are one plate, and how many they are is its score. Nothing is learnt.

    Raises:
        ConfigError: Its file cannot be had.
        DataError: It is damaged.
    """

    kind = "cascade that is trained already"
    multiple = 1
    weights_origin = f"file:{_NAME}"
    config: CascadeConfig

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__(config)
        self.network = nn.Identity()
        self._cascade = load_cascade(config.file)

    @torch.no_grad()
    def detect_batch(self, images: Tensor) -> list[Prediction]:
        """Detects in images (B, 3, H, W) in [0, 1]."""
        return [self._detections(image) for image in images]

    def example_input(self) -> Tensor:
        """Tells that there is no network.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("run: a cascade is no network that could be exported")

    def _detections(self, image: Tensor) -> Prediction:
        grey = np.asarray(cv2.cvtColor(to_image(image), cv2.COLOR_RGB2GRAY), np.uint8)
        boxes, counts = grouped(self._cascade.windows(grey, self.config.scale), self.config.neighbours)
        found = {"boxes": boxes, "scores": counts / (1 + counts)}
        return self.best_of({key: torch.from_numpy(value).to(image) for key, value in found.items()})


def load_cascade(file: str | None) -> Cascade:
    """Reads the cascade: a file, or the one that the installed OpenCV has or that OpenCV publishes.

    Raises:
        ConfigError: There is none.
        DataError: It is damaged.
    """
    if file is not None:
        path = Path(file).expanduser()
        if not path.is_file():
            raise ConfigError(f"model.file={file}: there is no such file")
        return read_cascade(path)
    own = Path(cv2.__file__).parent / "data" / _NAME
    found = own if own.is_file() else download_address(_ADDRESS)
    if found is None:
        raise ConfigError(
            f"model.file: OpenCV {cv2.__version__} does not bring {_NAME}, and it cannot be downloaded; give the file, "
            "which the packages of OpenCV 4 hold in cv2/data"
        )
    return read_cascade(found)


def grouped(
    windows: npt.NDArray[np.float64], neighbours: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Joins windows that agree, as OpenCV's groupRectangles does.

    Args:
        windows: (N, 4), x1, y1, x2, y2.
        neighbours: Groups of so many windows, or fewer, are left out.

    Returns:
        (K, 4) mean boxes, and (K,) how many windows each has.
    """
    if not len(windows):
        return windows, np.zeros(0)
    smaller = windows[:, 2:] - windows[:, :2]
    reach = _ALIKE * (np.minimum(smaller[:, None], smaller[None]).sum(axis=2) / 2)
    alike = np.abs(windows[:, None] - windows[None]).max(axis=2) <= reach
    group = connected_components(alike, directed=False)[1]
    counts = np.bincount(group).astype(np.float64)
    sums = np.stack([np.bincount(group, weights=side) for side in windows.T], axis=1)
    kept = counts > neighbours
    return (sums / counts[:, None])[kept], counts[kept]
