"""Samples of a generator whose images tell which latent they were made from."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from retable.errors import ConfigError, StorageError
from retable.papers.cars.prediction import write_samples
from retable.papers.cars.training.schema import PredictionOptions

ABOUT = {"run": "r", "checkpoint": "best.ckpt"}


class Painter:
    """Paints the first three numbers of a latent as a colour."""

    device = torch.device("cpu")

    def __init__(self, spherical_latents: bool = False) -> None:
        self.spherical_latents = spherical_latents
        self.largest_batch = 0

    def draw_latents(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.rand(count, 5, generator=generator)

    def sample(self, latents: Tensor) -> Tensor:
        self.largest_batch = max(self.largest_batch, len(latents))
        return latents[:, :3, None, None].expand(-1, 3, 8, 8)


def _options(**changed: Any) -> PredictionOptions:
    return PredictionOptions(**{"n": 5, "interpolation_steps": 4, **changed})


def _colours(folder: Path) -> list[list[int]]:
    return [cv2.imread(str(path))[0, 0, ::-1].tolist() for path in sorted((folder / "samples").iterdir())]


def test_writes_images_a_grid_walks_and_what_they_are(tmp_path: Path) -> None:
    write_samples(Painter(), tmp_path, _options(), ABOUT)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "grid.png", "interpolation.png", "samples", "samples.json",
    ]  # fmt: skip
    result = json.loads((tmp_path / "samples.json").read_text())
    assert result["samples"] == [f"samples/000{index}.png" for index in range(5)]
    assert (result["run"], result["checkpoint"], result["seed"], result["n"]) == ("r", "best.ckpt", 1, 5)
    assert result["latents"] == {"size": 5, "interpolation": "linear"}
    grid, walks = (cv2.imread(str(tmp_path / name))[..., ::-1] for name in ("grid.png", "interpolation.png"))
    assert grid.shape == (2 * 10 + 2, 3 * 10 + 2, 3)
    assert walks.shape == (4 * 10 + 2, 4 * 10 + 2, 3)
    colours = np.array(_colours(tmp_path))
    assert len({tuple(colour) for colour in colours}) == 5
    np.testing.assert_array_equal(grid[6, [6, 16, 26]], colours[:3])
    np.testing.assert_array_equal(walks[6::10, 6], colours[:4])  # rows begin with a sample
    np.testing.assert_array_equal(walks[6::10, 36], colours[1:5])  # and end with the next one
    third = (2 * colours[0] + colours[1]) / 3
    np.testing.assert_allclose(walks[6, 16], third, atol=1)


def test_a_seed_names_its_samples_whatever_their_number(tmp_path: Path) -> None:
    for name, options in (("a", _options()), ("more", _options(n=100)), ("other", _options(seed=2))):
        painter = Painter()
        write_samples(painter, tmp_path / name, options, ABOUT)
        assert painter.largest_batch <= 64
    assert _colours(tmp_path / "more")[:5] == _colours(tmp_path / "a")
    assert len(_colours(tmp_path / "more")) == 100
    assert not set(map(tuple, _colours(tmp_path / "other"))) & set(map(tuple, _colours(tmp_path / "a")))


def test_one_sample_is_enough(tmp_path: Path) -> None:
    write_samples(Painter(), tmp_path, _options(n=1), ABOUT)
    assert len(_colours(tmp_path)) == 1
    assert cv2.imread(str(tmp_path / "interpolation.png")).shape == (12, 42, 3)


def test_walks_between_normal_latents_are_round(tmp_path: Path) -> None:
    pictures = []
    for spherical in (False, True):
        write_samples(Painter(spherical), tmp_path / str(spherical), _options(), ABOUT)
        pictures.append(cv2.imread(str(tmp_path / str(spherical) / "interpolation.png")).astype(int))
    flat, around = pictures
    np.testing.assert_array_equal(flat[6, [6, 36]], around[6, [6, 36]])
    assert (around[6, [16, 26]] >= flat[6, [16, 26]]).all()  # an arc bulges outwards
    assert (around != flat).any()


def test_samples_of_an_earlier_call_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_samples(Painter(), tmp_path, _options(n=3), ABOUT)
    assert "earlier call" not in caplog.text
    write_samples(Painter(), tmp_path, _options(n=2), ABOUT)
    assert "also holds 1 samples of an earlier call, such as 0002.png" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n=0: must be 1 or more"),
        ({"seed": -1}, "seed=-1: must be from 0"),
        ({"seed": 2**64}, f"seed={2**64}: must be from 0 to below"),
        ({"interpolation_steps": 1}, "interpolation_steps=1: must be 2 or more"),
    ],
)
def test_impossible_options_are_told(options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _options(**options)
    assert str(caught.value).startswith(message)


def test_unwritable_output_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot write"):
        write_samples(Painter(), tmp_path / "out", _options(), ABOUT)
