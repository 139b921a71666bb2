"""The reader: the grammar against all codes one by one, the network, one training."""

import itertools
from pathlib import Path

import pytest
import torch
from tests.classification import tiny

from retable.papers.barcodes.scanline import grammar
from retable.papers.barcodes.scanline.lightning_model import ScanlineReader
from retable.papers.barcodes.scanline.schema import ScanlineReaderConfig
from retable.papers.barcodes.symbology.ean13 import is_valid
from retable.run.build import build
from retable.run.checkpoints import load_into
from retable.run.command_line import compose


def test_the_best_code_and_the_sum_over_all_are_those_of_one_by_one() -> None:
    torch.manual_seed(3)
    # two digits only are possible at each of the first six places with modules, and one last digit in ten of five
    shapes = torch.full((1, 12, 30), -1e4)
    for slot in range(6):
        shapes[0, slot, [3, 7, 13, 17]] = torch.randn(4)
    for slot, digit in enumerate("12345", start=6):
        shapes[0, slot, 20 + int(digit)] = torch.randn(())
    shapes[0, 11, 20:] = torch.randn(10)
    heads = map("".join, itertools.product("0123456789", *["37"] * 6))
    every = [f"{head}12345{last}" for head, last in itertools.product(heads, "0123456789")]
    codes = torch.tensor([list(map(int, code)) for code in every if is_valid(code)])
    scores = grammar.code_scores(shapes.expand(len(codes), -1, -1), codes)
    assert grammar.log_total(shapes)[0].item() == pytest.approx(scores.logsumexp(0).item(), abs=1e-3)
    found = grammar.read(shapes, torch.tensor([0.5]))
    assert found.digits[0].tolist() == codes[scores.argmax()].tolist()
    total = torch.logaddexp(scores.logsumexp(0), torch.tensor(0.5))
    assert found.log_probability[0].item() == pytest.approx((scores.max() - total).item(), abs=1e-3)


def test_what_is_read_is_always_valid() -> None:
    torch.manual_seed(0)
    found = grammar.read(3 * torch.randn(50, 12, 30), torch.zeros(50))
    assert all(is_valid("".join(map(str, code))) for code in found.digits.tolist())
    assert (found.log_probability < 0).all()


def test_a_symbol_is_learnt_by_heart_and_none_as_well() -> None:
    torch.manual_seed(0)
    config = ScanlineReaderConfig(rows=4, channels=16, blocks=1, kernel=3, width=120, height=8, margin=0.1)
    model = ScanlineReader(config)
    images = torch.rand(3, 1, 8, 120)
    digits = torch.tensor([[4, 0, 0, 6, 3, 8, 1, 3, 3, 3, 9, 3, 1], [9, 7, 8, 3, 1, 6, 1, 4, 8, 4, 1, 0, 0], [-1] * 13])
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(images, digits).mean().backward()
        optimizer.step()
    readings = model.eval().read(images)
    assert [each.answered(model.threshold) for each in readings] == ["4006381333931", "9783161484100", None]
    assert readings[0].confidence > 0.9 > 0.1 > readings[2].confidence


def test_quick_reading_is_the_same() -> None:
    torch.manual_seed(1)
    model = ScanlineReader(
        ScanlineReaderConfig(rows=4, channels=8, blocks=3, kernel=3, width=120, height=8, margin=0.1)
    )
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            layer.running_mean.uniform_(-1, 1)
            layer.running_var.uniform_(0.5, 2)
    images = torch.rand(4, 1, 8, 120)
    slow, quick = model.eval().read(images), model.quick_read()(images)
    assert [each.confidence for each in quick] == pytest.approx([each.confidence for each in slow], rel=1e-3)


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*does not have many workers.*")
def test_it_trains_and_its_checkpoint_keeps_the_threshold(tmp_path: Path) -> None:
    words = ["model=scanline_reader", "data=barcode_symbols", "budget=smoke", "hydra=quiet", "data.workers=0"]
    config = compose("train", words)
    data, module = build(config.data, seed=1), build(config.model)
    before = module.threshold
    trainer = tiny.trainer(tmp_path, max_epochs=1, log_every_n_steps=1)
    trainer.fit(module, datamodule=data)
    assert module.threshold == 0.5 < before  # nothing that it said was at all sure
    trainer.test(module, datamodule=data, verbose=False)
    assert {name for name in trainer.callback_metrics if name.startswith("test/")} >= {"test/wrong_answers"}
    assert (tmp_path / "plots" / "readings.png").is_file()
    trainer.save_checkpoint(tmp_path / "end.ckpt")
    other = build(config.model)
    load_into(other, tmp_path / "end.ckpt")
    assert other.threshold == module.threshold
    batch = next(iter(data.val_dataloader()))
    views = torch.stack([batch["images"], batch["images"].flip(2, 3)], dim=1)
    other.eval().on_validation_epoch_start()
    other.validation_step({**batch, "images": views}, 0)
    assert torch.isfinite(other.validation_loss.compute())


def test_one_sure_mistake_does_not_silence_it() -> None:
    config = ScanlineReaderConfig(rows=4, channels=8, blocks=1, kernel=3, width=120, height=8, margin=0.1)
    model = ScanlineReader(config)
    model.log = model.log_dict = lambda *_args, **_more: None
    model.on_validation_epoch_start()
    model._wrong.update(torch.tensor([0.99999] + [0.0] * 99))
    model.validation_loss.update(1.0)
    model.on_validation_epoch_end()
    assert model.threshold == 0.999
    assert ScanlineReader(ScanlineReaderConfig(**{**vars(config), "certain": 0.3})).threshold == 0.3
