"""Checkpoints of strangers and damaged ones: one line, and nothing is loaded that is no usable weight."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule
from tests import fuzz
from torch import nn

from retable.errors import CheckpointError
from retable.run import checkpoints


class Small(LightningModule):
    """A weight, a buffer of counts, and a name that is kept beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.BatchNorm1d(4)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Reads what must be there."""
        checkpoint["name"].lower()


def good() -> dict[str, Any]:
    return {"state_dict": Small().state_dict(), "epoch": 1, "global_step": 2, "name": "small", "loops": {}}


def weight(value: Any) -> dict[str, Any]:
    return {**good(), "state_dict": {**Small().state_dict(), "network.weight": value}}


def test_a_good_one_is_loaded(tmp_path: Path) -> None:
    torch.save(weight(torch.arange(4.0).half()), tmp_path / "a.ckpt")
    model = Small()
    checkpoints.load_into(model, tmp_path / "a.ckpt")
    assert model.network.weight.tolist() == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch announces the sparse and quantised tensors that are refused
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: {}, "it has no state_dict"),
        (lambda: [1], "it has no state_dict"),
        (lambda: {**good(), "state_dict": None}, "it has no state_dict"),
        (lambda: {**good(), "state_dict": Path("code")}, "it is damaged or holds objects that are refused for safety"),
        (lambda: {**good(), "epoch": "1"}, "it has no epoch"),
        (lambda: {**good(), "epoch": True}, "it has no epoch"),
        (lambda: {key: value for key, value in good().items() if key != "global_step"}, "it has no global_step"),
        (lambda: {**good(), "loops": [1]}, "damaged, its loops are a list"),
        (lambda: {**good(), "name": 3}, "damaged (AttributeError: 'int' object has no attribute 'lower')"),
        (lambda: {**good(), "state_dict": {}}, "from another model: network.weight is not in it"),
        (lambda: {**good(), "state_dict": {**good()["state_dict"], "more": torch.ones(1)}}, "it also holds more"),
        (lambda: weight("text"), "damaged: network.weight is no plain tensor but a str"),
        (lambda: weight(None), "damaged: network.weight is no plain tensor but a NoneType"),
        (lambda: weight(torch.ones(4).to_sparse()), "network.weight is no plain tensor but torch.sparse_coo"),
        (lambda: weight(torch.ones(4, device="meta")), "network.weight is no plain tensor but without values"),
        (lambda: weight(torch.quantize_per_tensor(torch.ones(4), 1, 0, torch.quint8)), "no plain tensor but quantised"),
        (lambda: weight(torch.ones(4, dtype=torch.complex64)), "network.weight holds complex64, float32 is needed"),
        (lambda: weight(torch.ones(4, dtype=torch.bool)), "network.weight holds bool, float32 is needed"),
        (lambda: weight(torch.ones(4, dtype=torch.int64)), "network.weight holds int64, float32 is needed"),
        (lambda: weight(torch.ones(5)), "from another model: network.weight has shape (5,), (4,) is needed"),
        (lambda: weight(torch.tensor([1, torch.nan, 1, 1])), "network.weight holds values that are not finite"),
        (lambda: weight(torch.tensor([1, torch.inf, 1, 1])), "network.weight holds values that are not finite"),
    ],
)
def test_what_is_no_checkpoint_of_the_model_is_one_line(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "a.ckpt"
    torch.save(content(), path)
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load_into(Small(), path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", b"\x80\x02}q\x00."])
def test_other_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.ckpt: "):
        checkpoints.load_into(Small(), tmp_path / "a.ckpt")


@fuzz.mark
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_flipped_bytes_are_told_or_change_nothing(tmp_path: Path) -> None:
    path, wanted = tmp_path / "a.ckpt", good()
    torch.save(wanted, path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    count = fuzz.cases(300)
    for place, mask in zip(generator.integers(0, len(content), count), generator.integers(1, 256, count), strict=True):
        flipped = bytearray(content)
        flipped[place] ^= mask
        path.write_bytes(flipped)
        model = Small()
        try:
            checkpoints.load_into(model, path)
        except CheckpointError:
            continue
        found = model.state_dict()
        assert all(torch.equal(found[name], value) for name, value in wanted["state_dict"].items()), (place, mask)
