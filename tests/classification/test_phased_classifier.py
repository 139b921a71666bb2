"""A network that is trained in phases: what steps see of it, and that a kill changes nothing."""

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.classification import tiny

from retable.classification.network_classifier import PhasedClassifier
from retable.classification.schema import PhasedNetworkConfig
from retable.nn.phases import TwoPhases
from retable.nn.schema import PhaseConfig, TwoPhasesConfig
from retable.run.callbacks import EpochCheckpoints, SeedEpochs
from retable.run.checkpoints import AtomicCheckpointIO, load

pytestmark = [
    pytest.mark.slow,  # it trains
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers.*"),
    pytest.mark.filterwarnings("ignore:The number of training batches.*"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

BATCHES = 4
EPOCHS = 9


class Watched(PhasedClassifier):
    """Notes rate and optimiser of each step, and dies at one of them."""

    def __init__(self, config: PhasedNetworkConfig, dies_at: int | None) -> None:
        super().__init__(config)
        self.dies_at, self.steps = dies_at, []  # type: ignore[var-annotated]

    def optimizer_step(self, epoch: int, index: int, optimizer: Any, closure: Any) -> None:
        self.steps.append((epoch, type(optimizer.optimizer).__name__, optimizer.param_groups[0]["lr"]))
        super().optimizer_step(epoch, index, optimizer, closure)

    def training_step(self, batch: dict[str, Any], batch_index: int) -> torch.Tensor:
        if self.dies_at == BATCHES * self.current_epoch + batch_index:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().training_step(batch, batch_index)


def fit(folder: Path, dies_at: int | None = None, resume: bool = False) -> Watched:
    torch.manual_seed(0)
    phases = TwoPhases(
        TwoPhasesConfig(
            first=PhaseConfig(partial(torch.optim.SGD, momentum=0.9), lr=0.02, every=2, lr_factor=0.5, epochs=3),
            second=PhaseConfig(torch.optim.Adam, lr=1e-3, every=2, lr_factor=0.5, batch_factor=2),
        )
    )
    config = PhasedNetworkConfig(
        subject=tiny.StripesSubject(), network=tiny.network, input_size=16, phases=phases
    )  # fmt: skip
    model, data = Watched(config, dies_at), tiny.StripesData(count=8 * BATCHES)
    last = folder / "checkpoints" / "last.ckpt"
    if resume:
        data.first_epoch = load(last)["epoch"] + 1
    run = tiny.trainer(
        folder, max_epochs=EPOCHS, enable_checkpointing=True, callbacks=[EpochCheckpoints(), SeedEpochs(1)],
        plugins=[AtomicCheckpointIO()],
    )  # fmt: skip
    run.fit(model, datamodule=data, ckpt_path=last if resume else None, weights_only=True)
    return model


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return fit(tmp_path_factory.mktemp("whole"))


def test_steps_have_the_optimiser_and_rate_of_their_phase_and_larger_batches_are_fewer_steps(whole: Watched) -> None:
    stages = [("SGD", 0.02, 4)] * 2 + [("SGD", 0.01, 4)]
    stages += [("Adam", 1e-3 / 2**stage, 4 // 2**stage) for stage in range(3) for _ in range(2)]
    expected = [(epoch, name, lr) for epoch, (name, lr, steps) in enumerate(stages) for _ in range(steps)]
    assert whole.steps == expected


@pytest.mark.parametrize("dies_in", [2, 3, 6])  # in the last epoch of the first phase, and after it, in two stages
def test_a_killed_training_goes_on_exactly(whole: Watched, tmp_path: Path, dies_in: int) -> None:
    process = multiprocessing.get_context("fork").Process(target=fit, args=(tmp_path, BATCHES * dies_in + 2))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    resumed = fit(tmp_path, resume=True)
    assert resumed.steps == [step for step in whole.steps if step[0] >= dies_in]
    for (name, weight), other in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(weight, other), name
