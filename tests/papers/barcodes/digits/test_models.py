"""Readers of projections: boosted trees and the perceptron."""

import io
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from xgboost import XGBClassifier

from retable.papers.barcodes.digits.boosted import BoostedDigitsNetwork, DigitsNetwork
from retable.papers.barcodes.digits.features import Projections
from retable.papers.barcodes.digits.perceptron import PerceptronReader
from retable.papers.barcodes.digits.schema import PerceptronConfig, ProjectionsConfig, SharedBoostedDigitsConfig
from retable.papers.barcodes.digits.shared import SharedBoostedDigitsNetwork
from retable.papers.barcodes.symbology import ean13

FEATURES = ProjectionsConfig(width=190, bands=[4, 5])


def codes(count: int, seed: int = 0) -> list[str]:
    bodies = np.random.default_rng(seed).integers(0, 10, (count, 12))
    texts = ["".join(map(str, body)) for body in bodies]
    return [f"{text}{ean13.check_digit(text)}" for text in texts]


def images_of(found: list[str]) -> torch.Tensor:
    """Symbols (B, 1, 20, 190) of two pixels a module, as they are printed."""
    modules = np.stack([np.repeat(ean13.encode(code), 2) for code in found])
    return torch.from_numpy(1.0 - modules).float()[:, None, None].expand(-1, 1, 20, 190)


def digits_of(found: list[str]) -> np.ndarray:
    return np.array([list(map(int, code)) for code in found])


def trees(count: int = 4) -> XGBClassifier:
    return XGBClassifier(n_estimators=count, n_jobs=1)


def shared() -> SharedBoostedDigitsNetwork:
    return SharedBoostedDigitsNetwork(
        SharedBoostedDigitsConfig(features=FEATURES, neighbours=1, samples=2, estimator=trees())
    )


def thirteen() -> BoostedDigitsNetwork:
    return BoostedDigitsNetwork(Projections(FEATURES), trees(1))


def test_windows_show_each_digit_as_set_l_or_g() -> None:
    (code,) = found = codes(1, seed=5)
    network = shared()
    windows = network.windows(network.features(images_of(found)))
    assert windows.shape == (12, 2 * 18 + 1)
    assert windows[:, -1].tolist() == [0] * 6 + [1] * 6
    for place in range(12):
        kind = ean13.PARITIES[int(code[0]), place] if place < 6 else ean13.L
        own = windows[place, :36].reshape(2, 18)[:, 2:-2]
        assert (own[:, ::2] == 1 - ean13.DIGIT_MODULES[kind, int(code[place + 1])]).all()


def test_one_model_of_all_places_reads_codes_it_has_not_seen() -> None:
    network, learnt, others = shared(), codes(60), codes(40, seed=1)
    network.fit(network.features(images_of(learnt)), digits_of(learnt))
    assert network.is_fitted
    digits, log_probabilities = network(images_of(others))
    assert np.array_equal(digits.numpy(), digits_of(others))
    assert (log_probabilities <= 0).all()


def test_what_it_reads_is_always_a_valid_code() -> None:
    network, learnt = shared(), codes(10)
    network.fit(network.features(images_of(learnt)), digits_of(learnt))
    noise = torch.rand(20, 1, 20, 190, generator=torch.Generator().manual_seed(0))
    assert all(ean13.is_valid("".join(map(str, code))) for code in network(noise)[0].tolist())


@pytest.mark.parametrize("make", [shared, thirteen])
def test_fitted_trees_go_through_a_state_dict(make: Any) -> None:
    network: DigitsNetwork = make()
    assert not network.is_fitted
    assert network(images_of(codes(2)))[0].shape == (2, 13)
    learnt = codes(40)
    features = network.features(images_of(learnt))
    network.fit(features, digits_of(learnt))
    digits, log_probabilities = network.decide(features)
    assert (digits.numpy() == digits_of(learnt)).mean() > 0.5
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    buffer.seek(0)
    other = make()
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert other.is_fitted
    again = other.decide(features)
    assert torch.equal(again[0], digits)
    assert torch.equal(again[1], log_probabilities)


def perceptron() -> PerceptronReader:
    torch.manual_seed(0)
    return PerceptronReader(PerceptronConfig(features=FEATURES, hidden=64, optimizer=torch.optim.Adam)).eval()


@torch.no_grad()
def test_the_loss_is_the_sum_over_the_digits() -> None:
    reader, found = perceptron(), codes(4)
    images, digits = images_of(found), torch.from_numpy(digits_of(found))
    logits = reader.logits(images)
    each = [F.cross_entropy(logits[:, place], digits[:, place]) for place in range(13)]
    assert float(reader.losses(images, digits).mean()) == pytest.approx(float(sum(each)), rel=1e-5)
    digits[1] = -1  # no code, and no loss
    losses = reader.losses(images, digits)
    assert [loss > 0 for loss in losses.tolist()] == [True, False, True, True]


@torch.no_grad()
def test_of_two_views_the_right_way_up_counts() -> None:
    reader, found = perceptron(), codes(4)
    reader.log = lambda *_, **__: None  # type: ignore[method-assign]
    images, digits = images_of(found), torch.from_numpy(digits_of(found))
    views = torch.stack([images, images.flip(3)], dim=1)
    reader._log_loss({"images": views, "digits": digits}, "test")
    both = torch.stack([reader.losses(images, digits), reader.losses(images.flip(3), digits)])
    assert float(reader.evaluation_loss.compute()) == pytest.approx(float(both.amin(dim=0).mean()), rel=1e-5)


def test_the_perceptron_learns_codes_and_answers_with_the_most_probable_digits() -> None:
    reader, found = perceptron(), codes(8)
    images, digits = images_of(found), torch.from_numpy(digits_of(found))
    optimizer = reader.configure_optimizers()
    assert optimizer.defaults["lr"] == 1e-3
    for _ in range(60):
        optimizer.zero_grad()
        reader.losses(images, digits).mean().backward()
        optimizer.step()
    answers = reader.read(images)
    assert [answer.code for answer in answers] == found
    assert all(0 < answer.confidence <= 1 for answer in answers)
    assert reader.network(reader.example_input()).shape == (2, 13, 10)
