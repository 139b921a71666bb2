"""The lines that a run writes into its log."""

import logging
import re
from pathlib import Path

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from retable.run import callbacks
from retable.run.callbacks import EpochLines, NotedCode, ProgressBar

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]


class Counting(LightningModule):
    """Its training loss is 10 times the epoch plus the batch's index, its validation loss the epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        self.log("train/loss", 10.0 * self.current_epoch + index, on_step=False, on_epoch=True, batch_size=1)
        return self.weight * 0

    def validation_step(self, batch: list[Tensor], index: int) -> None:
        self.log("val/loss", float(self.current_epoch), batch_size=1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def test_code_that_changed_while_a_run_was_interrupted_makes_its_record_stale(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = {"a": "1", "b": "2"}
    monkeypatch.setattr("retable.run.digests.loaded", lambda: dict(code))
    began = NotedCode()
    assert began.code == code
    kept = began.state_dict()
    unchanged = NotedCode()
    unchanged.load_state_dict(kept)
    assert (unchanged.code, caplog.text) == (code, "")
    code |= {"b": "3", "c": "4"}
    resumed = NotedCode()
    resumed.load_state_dict(kept)
    assert resumed.code == {"a": "1", "b": "2, 3", "c": "4"}
    assert "the code has changed since this run began (b): its record will count as stale" in caplog.text


def lines(folder: Path, caplog: pytest.LogCaptureFixture, **options: int) -> list[str]:
    loader = DataLoader(TensorDataset(torch.zeros(3, 1)))
    trainer = Trainer(
        default_root_dir=folder, accelerator="cpu", max_epochs=3, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[EpochLines()], **options,
    )  # fmt: skip
    with caplog.at_level(logging.INFO, "retable.run.callbacks"):
        trainer.fit(Counting(), loader, loader)
        trainer.validate(dataloaders=loader, model=Counting(), verbose=False)
    return [record.getMessage() for record in caplog.records if record.name == "retable.run.callbacks"]


def test_a_line_has_the_loss_of_its_own_epoch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert lines(tmp_path, caplog) == [
        "epoch 1, step 3: train/loss 1, val/loss 0",
        "epoch 2, step 6: train/loss 11, val/loss 1",
        "epoch 3, step 9: train/loss 21, val/loss 2",
    ]


def test_epochs_that_were_not_validated_have_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert lines(tmp_path, caplog, check_val_every_n_epoch=2, num_sanity_val_steps=2) == [
        "epoch 2, step 6: train/loss 11, val/loss 1"
    ]


def test_without_a_terminal_there_is_a_line_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "_LINE_SECONDS", 0.0)
    told = lines(tmp_path, caplog)
    steps = [line for line in told if "steps/s" in line]
    assert re.fullmatch(r"epoch 1, step 2: \S+ steps/s, loss 0, about 0 min of training left", steps[1])
    assert steps[-1].startswith("epoch 3, step 9: ")
    assert "validation: batch 3 of 3" in told


def test_the_bar_counts_epochs_from_one() -> None:
    bar = ProgressBar()
    bar._trainer = Trainer(accelerator="cpu", max_epochs=20, logger=False, enable_checkpointing=False, callbacks=[bar])
    assert bar._get_train_description(0).split() == ["Epoch", "1/20"]
