"""Makes the weights of the domain extractor: `python -m retable.papers.cars.domain.train [FILE]`, minutes on one core.

The network learns from generated cars alone what it sees (view, body, colour, what hides a part), how the picture was
corrupted, and how much; backgrounds, light, place and sharpness vary, so that its features also mean something for
photographs. The seed of the cars is not that of the default data: nothing that is scored was learnt from.

The same machine makes the same file from the same cars; another processor may differ in the last digits, and a changed
generator draws other cars. That is why the file is part of the package and its sha256 is told with the scores: it
stays as it is, so that scores can be compared, until it is made anew on purpose. The one in the package learnt from
version 1 of the generator.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from retable.files import write_atomically
from retable.papers.cars.domain.corruptions import CORRUPTIONS, apply
from retable.papers.cars.domain.network import INPUT_SIZE, DomainNetwork
from retable.papers.cars.domain.variations import uniform, vary
from retable.papers.cars.scenes.bodies import BODIES
from retable.papers.cars.scenes.dataset import CarScenes
from retable.papers.cars.scenes.materials import COLOURS
from retable.papers.cars.scenes.views import OCCLUSIONS, VIEWS

CARS, EPOCHS, BATCH = 6000, 18, 96
SEED = 1912_00953
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 1e-3
_QUESTIONS = {"view": VIEWS, "body": BODIES, "colour": COLOURS, "occlusion": OCCLUSIONS}
_READABLE = ("none", "blur", "noise", "checkerboard", "warp")  # what the car is can still be told
_WEIGHTS = {"view": 1.0, "body": 0.7, "colour": 0.5, "occlusion": 0.3, "fault": 1.0, "strength": 2.0}


def draw_cars(count: int, seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Draws generated cars.

    Returns:
        Images uint8 (count, 3, 64, 64), and for each question the answers (count,).
    """
    scenes = CarScenes(count, INPUT_SIZE, seed)
    images = torch.stack([torch.from_numpy(scenes.image(index)) for index in range(count)]).permute(0, 3, 1, 2)
    attributes = [scenes.attributes(index) for index in range(count)]
    answers = {
        name: torch.tensor([choices.index(getattr(found, name)) for found in attributes])
        for name, choices in _QUESTIONS.items()
    }
    return images.contiguous(), answers


def make_batch(
    images: Tensor, answers: dict[str, Tensor], generator: Generator
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Varies images, uint8 (B, 3, 64, 64), and corrupts most of them; the answers are (B,) for each question.

    Returns:
        Images (B, 3, 64, 64) in [0, 1]; the answers with those on ``fault`` and ``strength``; and which images can
        still be asked what car they show, (B,) bool.
    """
    count = len(images)
    flipped = uniform(generator, (count,)) < 0.5
    clean = images.float() / 255
    clean = torch.where(flipped[:, None, None, None], clean.flip(-1), clean)
    # the views go around the car in eight steps: in a mirror the other way round
    view = torch.where(flipped, (len(VIEWS) - answers["view"]) % len(VIEWS), answers["view"])
    kinds = torch.randint(-1, len(CORRUPTIONS), (count,), generator=generator).clamp(min=0)
    strength = torch.where(kinds == 0, 0.0, uniform(generator, (count,), 0.15, 1.0))
    readable = torch.isin(kinds, torch.tensor([CORRUPTIONS.index(name) for name in _READABLE]))
    corrupted = apply(vary(clean, generator), kinds, strength, generator)
    return corrupted, {**answers, "view": view, "fault": kinds, "strength": strength}, readable | (strength < 0.35)


def loss_of(network: DomainNetwork, images: Tensor, answers: dict[str, Tensor], readable: Tensor) -> Tensor:
    """Sums the cross-entropies of all questions and the squared error of the strength, each with its weight."""
    pooled = network.pooled(images)
    total = torch.zeros(())
    for name, head in network.heads.items():
        found, truth = head(pooled), answers[name]
        if name == "strength":
            part = F.mse_loss(found[:, 0], truth)
        elif name == "fault":
            part = F.cross_entropy(found, truth)
        else:
            part = F.cross_entropy(found[readable], truth[readable])
        total = total + _WEIGHTS[name] * part
    return total


def train(cars: int = CARS, epochs: int = EPOCHS, batch: int = BATCH) -> DomainNetwork:
    """Trains the network; returns it in evaluation mode, with its features scaled."""
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    generator = torch.Generator().manual_seed(SEED)
    images, answers = draw_cars(cars, SEED)
    network = DomainNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = cars // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, epochs=epochs, steps_per_epoch=steps)
    for epoch in range(epochs):
        started, sum_of_losses = time.time(), 0.0
        for chosen in torch.split(torch.randperm(cars, generator=generator)[: steps * batch], batch):
            made = make_batch(images[chosen], {name: truth[chosen] for name, truth in answers.items()}, generator)
            loss = loss_of(network, *made)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            sum_of_losses += loss.item()
        print(f"epoch {epoch + 1:2d}  loss {sum_of_losses / steps:.4f}  {time.time() - started:.0f} s", flush=True)
    network.eval()
    with torch.no_grad():
        spread = torch.cat([network.pooled(part.float() / 255) for part in torch.split(images, 256)]).std(dim=0)
        network.scale.copy_(1 / spread.clamp(min=1e-2 * float(spread.max())))  # what never stirs stays small
    return network


@torch.no_grad()
def accuracies(network: DomainNetwork, cars: int = 1000) -> dict[str, float]:
    """Computes shares of right answers about cars that were not learnt from, varied and corrupted as in training."""
    images, answers = draw_cars(cars, SEED + 1)
    generator = torch.Generator().manual_seed(SEED + 1)
    made, truths, readable = make_batch(images, answers, generator)
    pooled = network.pooled(made)
    found = {name: network.heads[name](pooled).argmax(dim=1) == truths[name] for name in (*_QUESTIONS, "fault")}
    asked = {name: right if name == "fault" else right[readable] for name, right in found.items()}
    return {name: float(right.float().mean()) for name, right in asked.items()}


def save(network: DomainNetwork, path: Path) -> str:
    """Writes the weights as 16-bit floats; returns the file's sha256."""
    weights = {name: value.half() for name, value in network.state_dict().items() if value.is_floating_point()}
    write_atomically(path, lambda temporary: torch.save(weights, temporary))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Trains, tells what was learnt, and writes the file that the package ships."""
    torch.set_num_threads(1)
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("weights.pt")
    network = train()
    print("right answers:", ", ".join(f"{name} {share:.3f}" for name, share in accuracies(network).items()))
    digest = save(network, path)
    print(f"{path}: {path.stat().st_size:,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
