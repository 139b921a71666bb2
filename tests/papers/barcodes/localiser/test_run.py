"""The localiser from its configuration to its test."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.classification import tiny

from retable.papers.barcodes.localiser.corners import Candidate
from retable.papers.barcodes.localiser.network import UNet
from retable.papers.barcodes.localiser.schema import LocalisationOptions
from retable.papers.barcodes.scenes import BarcodeScenes
from retable.run.build import build
from retable.run.checkpoints import load_into
from retable.run.command_line import compose


@pytest.mark.parametrize(("stem", "stride"), [(0, 1), (2, 4)])
def test_masks_have_their_resolution(stem: int, stride: int) -> None:
    network = UNet(stem, [4, 8, 8]).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 3, 64, 96))
    assert network.stride == stride
    assert network.multiple == 4 * stride
    assert logits.shape == (1, 2, 64 // stride, 96 // stride)
    assert float(logits.sigmoid().mean()) < 0.2, "most of a photo is no symbol"


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
def test_it_trains_and_a_checkpoint_of_it_finds_the_same(tmp_path: Path) -> None:
    config = compose("train", ["model=barcode_unet", "data=barcodes", "budget=smoke", "hydra=quiet", "data.workers=0"])
    torch.manual_seed(1)
    data, module = build(config.data, seed=1), build(config.model)
    trainer = tiny.trainer(tmp_path, max_epochs=1, log_every_n_steps=1)
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    found = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("test/")}
    assert {name.split("/")[-1] for name in found} == set(module.metric_info)
    assert np.isfinite(found["test/loss"])
    assert (tmp_path / "plots" / "symbols.jpg").is_file()
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    other = build(config.model)
    load_into(other, tmp_path / "end.ckpt")
    image, _, _ = BarcodeScenes("test", 4, 320).load(0)
    module.config.score_threshold = other.config.score_threshold = 0.0
    module.config.mask_threshold = other.config.mask_threshold = 0.05
    for one, same in zip(module.eval().locate(image), other.eval().locate(image), strict=True):
        assert [item.score for item in one] == [item.score for item in same]
        for item in one:
            assert item.corners.shape == (4, 2)


def test_what_it_finds_in_files_is_told_without_digits(tmp_path: Path) -> None:
    image, _, _ = BarcodeScenes("test", 4, 320).load(0)
    cv2.imwrite(str(tmp_path / "photo.png"), image[..., ::-1])
    module = build(compose("train", ["model=barcode_unet", "data=barcodes", "budget=smoke"]).model).eval()
    corners = np.array([(1.0, 2.0), (31.0, 2.0), (31.0, 12.0), (1.0, 12.0)])
    module.locate = lambda _image: ([Candidate(corners, 0.75, 1.0, 1.0)], [])
    module.predict_to(tmp_path / "found", LocalisationOptions(input=str(tmp_path / "photo.png")), None, {"run": "x"})
    told = json.loads((tmp_path / "found" / "barcodes.json").read_text())
    (entry,) = told["images"][0]["barcodes"]
    assert entry == {"code": None, "valid": False, "confidence": 0.75, "corners": corners.tolist()}
