"""Networks, images and scores of a few numbers, for tests of what trains them."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningDataModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from retable.data.sampling import EpochSampler, ShardSampler
from retable.papers.cars.training.latent import LatentOptimisation
from retable.papers.cars.training.lightning_model import Gan
from retable.papers.cars.training.losses import BinaryCrossEntropy
from retable.papers.cars.training.schema import GanConfig, LatentConfig
from retable.run.callbacks import EpochCheckpoints, SeedEpochs

SIZE, LATENT = 8, 6


class TinyGenerator(nn.Module):
    """Smooth, and without batch normalisation unless it is asked for."""

    def __init__(self, image_size: int, latent_size: int, normalise: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(latent_size, 4, image_size // 2),
            nn.BatchNorm2d(4) if normalise else nn.Identity(),
            nn.Softplus(),
            nn.ConvTranspose2d(4, 3, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, latents: Tensor) -> Tensor:
        images: Tensor = self.layers(latents[:, :, None, None])
        return images


class TinyDiscriminator(nn.Module):
    def __init__(self, image_size: int, latent_size: int = 0, normalise: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4) if normalise else nn.Identity(), nn.Softplus(), nn.Flatten()
        )
        self.last = nn.Linear(4 * (image_size // 2) ** 2 + latent_size, 1)

    def forward(self, images: Tensor, latents: Tensor | None = None) -> Tensor:
        features = self.layers(images)
        logits: Tensor = self.last(features if latents is None else torch.cat([features, latents], 1))[:, 0]
        return logits


class TinyEncoder(nn.Module):
    def __init__(self, image_size: int, latent_size: int) -> None:
        super().__init__()
        self.last = nn.Linear(3 * image_size**2, latent_size)

    def forward(self, images: Tensor) -> Tensor:
        return torch.tanh(self.last(images.flatten(1)))


class TinyScores:
    """Takes the place of `retable.metrics.fidelity.metric.FidelityMetric`: the distance of the mean images."""

    suffix = "_domain"
    origin = "mean image"
    info: ClassVar = {
        "fid_domain": ("distance", "lower"), "is_domain": ("score", "higher"), "samples": ("images", "none")
    }  # fmt: skip

    def begin(self, data: Any) -> None:
        self.real = data.images.float().div(255).mean(0)
        self.fake: list[Tensor] = []

    def update(self, images: Tensor, indices: Tensor) -> None:
        assert images.dtype == torch.float32
        assert images.min() >= 0
        assert images.max() <= 1
        assert len(images) == len(indices)
        self.fake.append(images.cpu())

    def compute(self) -> dict[str, float]:
        fake = torch.cat(self.fake)
        distance = float((fake.mean(0) - self.real).square().sum())
        return {"fid_domain": distance, "is_domain": 1 + float(fake.std(0).mean()), "samples": float(len(fake))}


class TinyImages(LightningDataModule):
    """Takes the place of the cars: dark squares on green."""

    test_name = "test"

    def __init__(self, seed: int = 1, count: int = 16, image_size: int = SIZE, batch_size: int = 8) -> None:
        super().__init__()
        self.seed, self.image_size, self.batch_size, self.first_epoch = seed, image_size, batch_size, 0
        self._images = torch.full((count, 3, image_size, image_size), 51, dtype=torch.uint8)
        self._images[:, 1] = 255
        for index in range(count):
            self._images[index, :, 2:6, 1 + index % 3 : 5] = index * 5

    @property
    def images(self) -> Tensor:
        return self._images

    def train_dataloader(self) -> DataLoader[Any]:
        world, rank = self.trainer.world_size, self.trainer.global_rank
        each = self.batch_size // world
        sampler = EpochSampler(
            len(self._images), each, self.seed, rank=rank, world_size=world, drop_last=True, epoch=self.first_epoch
        )
        return DataLoader(_Keys(len(self._images)), batch_size=each, sampler=sampler)

    def val_dataloader(self) -> DataLoader[Any]:
        sampler = ShardSampler(len(self._images), rank=self.trainer.global_rank, world_size=self.trainer.world_size)
        return DataLoader(_Keys(len(self._images)), batch_size=8, sampler=sampler)

    test_dataloader = val_dataloader

    def transfer_batch_to_device(self, batch: Tensor, device: torch.device, dataloader_idx: int) -> dict[str, Tensor]:
        return {"images": (self._images[batch] / 255).to(device), "indices": batch}


class _Keys(torch.utils.data.Dataset[int]):
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: Any) -> int:
        return int(key[1]) if isinstance(key, tuple) else int(key)


def tiny_gan(seed: int = 0, normalise: bool = False, bidirectional: bool = False, **options: Any) -> Gan:
    """A GAN of a few hundred parameters; options are those of `GanConfig`."""
    torch.manual_seed(seed)
    chosen = {
        "generator": partial(TinyGenerator, normalise=normalise),
        "discriminator": partial(TinyDiscriminator, normalise=normalise),
        "encoder": TinyEncoder if bidirectional else None,
        "initialisation": None,
        "image_size": SIZE,
        "latent_size": LATENT,
        "loss": BinaryCrossEntropy(),
        "optimizer": partial(torch.optim.Adam, betas=(0.5, 0.999)),
        "lr": 1e-2,
        "weight_decay": 1e-3,
        "fidelity": TinyScores(),
    }
    return Gan(GanConfig(**{**chosen, **options}))


def tiny_latent(**options: Any) -> LatentOptimisation:
    return LatentOptimisation(LatentConfig(**{"beta": 0.1, "fraction": 0.5, "weight": 0.5, **options}))


def tiny_trainer(folder: Path, epochs: int = 2, **options: Any) -> Trainer:
    """A trainer as train.py builds it, on the CPU."""
    chosen = {
        "default_root_dir": folder, "accelerator": "cpu", "max_epochs": epochs, "logger": False,
        "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0,
        "use_distributed_sampler": False, "log_every_n_steps": 1, "callbacks": [SeedEpochs(1), EpochCheckpoints()],
    }  # fmt: skip
    return Trainer(**{**chosen, **options})
