from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from retable.errors import CheckpointError, ConfigError, DataError, DivergenceError
from retable.metrics.fidelity import metric as module
from retable.metrics.fidelity.extractors import Extractor, as_uint8
from retable.metrics.fidelity.frechet import FeatureMoments, frechet_distance
from retable.metrics.fidelity.metric import FidelityMetric
from retable.metrics.fidelity.schema import FidelityConfig
from retable.run.build import build
from retable.run.command_line import compose


class MeanColours(Extractor):
    """Mean, spread and corner of each channel; the classes are its first three."""

    suffix = "_tiny"
    origin = "mean-colours"

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(_MeanColours(), batch_size=7)

    @property
    def seen(self) -> int:
        return self._network.seen


class _MeanColours(nn.Module):
    seen = 0

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        self.seen += len(images)
        values = images.float().flatten(start_dim=2) / 255
        features = torch.cat([values.mean(dim=2), values.std(dim=2), values[:, :, 0]], dim=1)
        return features, features[:, :3] * 10


def pictures(count: int, seed: int, shade: float = 1.0) -> Tensor:
    shades = torch.rand((count, 3, 1, 1), generator=torch.Generator().manual_seed(seed))
    grain = torch.rand((count, 3, 8, 8), generator=torch.Generator().manual_seed(seed + 1))
    return shade * (0.5 * shades + 0.5 * grain)


def data(count: int = 60) -> SimpleNamespace:
    return SimpleNamespace(images=as_uint8(pictures(count, 1)))


def made(extractor=MeanColours, weights=None) -> FidelityMetric:
    return FidelityMetric(FidelityConfig(extractor=extractor, weights=weights))


def scored(images: Tensor, batches: list[list[int]], real: SimpleNamespace | None = None) -> dict[str, float]:
    found = made()
    found.begin(real or data())
    for batch in batches:
        found.update(images[batch], torch.tensor(batch))
    return found.compute()


def test_names_counts_and_info():
    numbers = scored(pictures(40, 5), [list(range(40))])
    assert numbers["samples"] == 40
    assert numbers["real_images"] == 60
    words = ["fid", "is", "kid", "precision", "recall"]
    names = [f"{word}_tiny" for word in words] + ["fid_tiny_halves", "fid_tiny_n5", "fid_tiny_n5_real"]
    assert set(numbers) == {*names, "samples", "real_images"}
    found = made()
    assert set(found.info) == set(numbers)
    assert found.info["fid_tiny"][1] == "lower"
    assert found.monitor_name == "fid_tiny"
    assert found.origin == "mean-colours"


def test_all_samples_are_compared_with_all_real_images():
    images, real = pictures(40, 5), data()
    numbers = scored(images, [list(range(40))], real)
    extractor = MeanColours()
    first, second = (FeatureMoments(extractor(part).features) for part in (as_uint8(images), real.images))
    assert numbers["fid_tiny"] == pytest.approx(frechet_distance(first, second), rel=1e-9)


def test_batches_their_order_and_repeats_change_nothing():
    images = pictures(40, 5)
    expected = scored(images, [list(range(40))])
    assert scored(images, [list(range(20, 40)), list(range(13)), list(range(13, 20))]) == expected
    assert scored(images, [list(range(40)), [3, 17]]) == expected


def test_real_images_score_best_and_few_score_badly():
    real = data()
    same = scored(real.images.float() / 255, [list(range(60))], real)
    dark = scored(pictures(60, 9, shade=0.5), [list(range(60))], real)
    assert same["fid_tiny"] < 1e-9
    assert same["precision_tiny"] == same["recall_tiny"] == 1
    assert same["fid_tiny"] < same["fid_tiny_halves"] < dark["fid_tiny"]
    assert same["fid_tiny_halves"] < same["fid_tiny_n5_real"] == same["fid_tiny_n5"]


def test_halves_are_of_blocks_in_file_order():
    """Real images that drift along the files: neighbours must not be split between the halves one by one."""
    drift = torch.linspace(0, 1, 80).view(-1, 1, 1, 1).expand(80, 3, 8, 8)
    numbers = scored(pictures(20, 2), [list(range(20))], SimpleNamespace(images=as_uint8(drift)))
    blocks = torch.arange(80) // 4 % 2
    halves = [FeatureMoments(MeanColours()(as_uint8(drift[blocks == side])).features) for side in (0, 1)]
    assert numbers["fid_tiny_halves"] == pytest.approx(frechet_distance(*halves), rel=1e-6)


def test_real_images_are_looked_at_once():
    found, real = made(), data()
    for _ in range(3):
        found.begin(real)
        found.update(pictures(10, 3), torch.arange(10))
        found.compute()
    assert found.extractor.seen == 60 + 3 * 10


def test_begin_forgets_what_was_not_computed():
    found = made()
    found.begin(data())
    found.update(pictures(10, 3), torch.arange(10))
    found.begin(data())
    found.update(pictures(8, 3), torch.arange(8))
    assert found.compute()["samples"] == 8


def test_samples_that_are_not_finite():
    found = made()
    found.begin(data())
    with pytest.raises(DivergenceError, match="not finite"):
        found.update(pictures(4, 3) / 0 * 0, torch.arange(4))


def test_too_few_samples():
    with pytest.raises(DataError, match="1 samples"):
        scored(pictures(4, 3), [[0]])
    with pytest.raises(DataError, match="no samples"):
        scored(pictures(4, 3), [])


def test_nothing_is_built_before_it_is_needed():
    made(lambda weights: pytest.fail("built"), "weights.pth")


def test_processes_gather_in_index_order(monkeypatch):
    """Two processes in turn, with the collectives of torch.distributed replaced: each has every second image."""
    images = pictures(41, 5)
    expected = scored(images, [list(range(41))])
    processes = []
    for rank in (0, 1):
        process = made()
        process.begin(data())
        process.update(images[rank::2], torch.arange(rank, 41, 2))
        processes.append(process)
    everything = [[(indices, *found) for indices, found in process._parts] for process in processes]
    sent = []

    def all_gather_object(out, mine):
        out[:] = everything

    def broadcast_object_list(values, src):
        assert src == 0
        if module._rank() == 0:
            sent.append(values[0])
        values[0] = sent[0]

    monkeypatch.setattr(module, "_world_size", lambda: 2)
    monkeypatch.setattr(module.dist, "all_gather_object", all_gather_object)
    monkeypatch.setattr(module.dist, "broadcast_object_list", broadcast_object_list)
    for rank in (0, 1):
        monkeypatch.setattr(module, "_rank", lambda rank=rank: rank)
        assert processes[rank].compute() == expected


def test_an_error_of_the_first_process_reaches_the_others(monkeypatch):
    monkeypatch.setattr(module, "_from_first", lambda value: DataError("of the first"))
    with pytest.raises(DataError, match="of the first"):
        scored(pictures(4, 3), [[0, 1, 2, 3]])


def test_processes_with_different_extractors(monkeypatch):
    def all_gather_object(out, mine):
        out[:] = [mine, "inception"]

    monkeypatch.setattr(module, "_world_size", lambda: 2)
    monkeypatch.setattr(module.dist, "all_gather_object", all_gather_object)
    with pytest.raises(CheckpointError, match="different extractors"):
        made().begin(data())


@pytest.mark.parametrize("choice", ["default", "inception", "domain"])
def test_the_key_of_the_weights(choice):
    words = [
        "model=dcgan",
        f"model/fidelity={choice}",
        "model.fidelity.weights=weights.pth",
        "data=cars",
        "hydra=quiet",
    ]
    found = build(compose("train", words).model.fidelity)
    assert isinstance(found, FidelityMetric)
    assert found._config.weights == "weights.pth"
    with pytest.raises((CheckpointError, ConfigError), match=r"weights\.pth"):
        _ = found.extractor
