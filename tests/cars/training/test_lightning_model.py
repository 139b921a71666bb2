"""Whole trainings of tiny GANs through Lightning."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cars.training.tiny import TinyImages, tiny_gan, tiny_latent, tiny_trainer

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
]
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {}, "latent": {"latent": tiny_latent()}, "bidirectional": {"bidirectional": True},
    "bidirectional latent": {"bidirectional": True, "latent": tiny_latent()},
    "everything": {
        "latent": tiny_latent(), "orthogonal": 1e-2, "r1": 1.0, "augment": ["colour", "translation", "cutout"],
        "ema_decay": 0.9, "gradient_clip": 1.0, "accumulate": 2, "normalise": True, "bidirectional": True,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_trains(name: str, tmp_path: Path) -> None:
    model = tiny_gan(**VARIANTS[name])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    trainer = tiny_trainer(tmp_path)
    trainer.fit(model, TinyImages())
    assert trainer.global_step == 4
    for key, value in model.state_dict().items():
        assert not torch.equal(value, before[key]), key
    trainer.test(model, TinyImages(), verbose=False)
    print(trainer.callback_metrics)
