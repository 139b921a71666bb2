import hashlib
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retable.errors import ConfigError
from retable.papers.larsd.scenes import HRSC2016, HRSD, ShipScenes

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

_DIGEST = """
import hashlib
from retable.papers.larsd.scenes import ShipScenes
digest = hashlib.sha256()
for profile in ("hrsd", "hrsc2016"):
    dataset = ShipScenes("val", 4, 256, profile, seed=11)
    for index in range(4):
        image, target = dataset.load(index)
        digest.update(image.tobytes() + b"".join(target[key].tobytes() for key in ("boxes", "labels", "difficult")))
print(digest.hexdigest())
"""


def _digest(image: np.ndarray, target: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(image.tobytes() + target["boxes"].tobytes()).hexdigest()


def test_load_gives_the_detection_protocol() -> None:
    dataset = ShipScenes("train", 6, 256)
    assert len(dataset) == 6
    assert dataset.classes == ["ship"]
    assert len(set(dataset.image_ids)) == 6
    assert dataset.image_size(0) == (256, 256)
    for index in range(6):
        image, target = dataset.load(index)
        number = len(target["boxes"])
        assert image.shape == (256, 256, 3)
        assert image.dtype == np.uint8
        assert target["boxes"].shape == (number, 5)
        assert target["boxes"].dtype == np.float32
        assert target["labels"].dtype == np.int64
        assert target["difficult"].dtype == bool
        assert (target["labels"] == 0).all()
        assert len(target["labels"]) == len(target["difficult"]) == number


def test_same_bytes_in_other_processes() -> None:
    digests = [
        subprocess.run(
            [sys.executable, "-c", _DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    here = hashlib.sha256()
    for profile in ("hrsd", "hrsc2016"):
        dataset = ShipScenes("val", 4, 256, profile, seed=11)
        for index in range(4):
            image, target = dataset.load(index)
            here.update(image.tobytes() + b"".join(target[key].tobytes() for key in ("boxes", "labels", "difficult")))
    assert digests[0].strip() == digests[1].strip() == here.hexdigest()


def test_order_threads_and_pickling_do_not_matter() -> None:
    dataset = ShipScenes("train", 8, 192, seed=4)
    forward = [_digest(*dataset.load(index)) for index in range(8)]
    clone = pickle.loads(pickle.dumps(dataset))
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(lambda index: _digest(*clone.load(index)), reversed(range(8))))
    assert threaded[::-1] == forward
    assert ShipScenes("train", 3, 192, seed=4).load(2)[0].tobytes() == dataset.load(2)[0].tobytes()


def test_splits_and_seeds_share_no_scene() -> None:
    digests = [
        _digest(*ShipScenes(split, 4, 128, seed=seed).load(index))
        for split in ("train", "val", "test")
        for seed in (0, 1)
        for index in range(4)
    ]
    assert len(set(digests)) == len(digests)


def test_trainval_is_train_then_val() -> None:
    both, train, val = (ShipScenes(split, None, 128, "hrsc2016") for split in ("trainval", "train", "val"))
    assert both.image_ids == train.image_ids + val.image_ids
    assert both.load(436)[0].tobytes() == val.load(0)[0].tobytes()
    assert len(ShipScenes("trainval", 10, 128)) == 10


def test_default_counts_are_the_published_ones() -> None:
    assert [len(ShipScenes(split, profile="hrsd")) for split in ("train", "val", "test")] == [1249, 424, 824]
    counts = [len(ShipScenes(split, profile="hrsc2016")) for split in ("train", "val", "trainval", "test")]
    assert counts == [436, 181, 617, 444]
    assert HRSD.mean_ships == pytest.approx(3.709, abs=1e-3)
    assert HRSC2016.mean_ships == pytest.approx(2.720, abs=1e-3)


def test_provenance_names_the_profile_and_changes_with_parameters() -> None:
    base = ShipScenes("train", 10).provenance
    assert base["kind"] == "synthetic"
    assert "hrsd" in base["source"]
    assert base == ShipScenes("train", 10).provenance
    others = [
        ShipScenes("train", 11),
        ShipScenes("val", 10),
        ShipScenes("train", 10, 256),
        ShipScenes("train", 10, seed=1),
        ShipScenes("train", 10, profile="hrsc2016"),
        ShipScenes("train", 10, scale=0.5),
    ]
    fingerprints = {dataset.provenance["fingerprint"] for dataset in others} | {base["fingerprint"]}
    assert len(fingerprints) == 7


@pytest.mark.parametrize("size", [96, 128, 333, 1024])
def test_other_sizes_render(size: int) -> None:
    dataset = ShipScenes("train", 2, size)
    for index in range(2):
        assert dataset.load(index)[0].shape == (size, size, 3)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"split": "training"}, "training"),
        ({"split": "train", "image_size": 8}, "image_size"),
        ({"split": "train", "image_size": 9000}, "image_size"),
        ({"split": "train", "count": 0}, "count"),
        ({"split": "train", "seed": -1}, "seed"),
        ({"split": "train", "scale": 0.0}, "scale"),
        ({"split": "train", "profile": "dota"}, "dota"),
    ],
)
def test_wrong_parameters_are_named(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        ShipScenes(**arguments)


def test_images_are_neither_black_nor_burnt_out_and_differ() -> None:
    dataset = ShipScenes("test", 24, 128)
    means = np.array([dataset.load(index)[0].mean((0, 1)) for index in range(24)])
    assert means.min() > 8
    assert means.max() < 235
    assert means.std(0).min() > 12
