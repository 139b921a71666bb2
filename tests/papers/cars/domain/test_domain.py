import hashlib

import pytest
import torch

from retable.errors import CheckpointError, ConfigError
from retable.metrics.fidelity import inception
from retable.metrics.fidelity.extractors import as_uint8
from retable.metrics.fidelity.frechet import FeatureMoments, frechet_distance
from retable.papers.cars.domain import corruptions, train
from retable.papers.cars.domain import extractor as module
from retable.papers.cars.domain.extractor import WEIGHTS, DomainExtractor, domain, inception_or_domain
from retable.papers.cars.domain.network import DomainNetwork
from retable.papers.cars.domain.variations import vary
from retable.papers.cars.scenes.dataset import CarScenes

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

HALF = 120


@pytest.fixture(scope="module")
def cars():
    """Cars of the default data's seed, uint8 (240, 3, 64, 64), and their views; the network never learnt from them."""
    scenes = CarScenes(2 * HALF, 64, seed=0)
    images = torch.stack([torch.from_numpy(scenes.image(index)).permute(2, 0, 1) for index in range(2 * HALF)])
    return images, [scenes.attributes(index).view for index in range(2 * HALF)]


@pytest.fixture(scope="module")
def extractor():
    return DomainExtractor()


@pytest.fixture(scope="module")
def distance(cars, extractor):
    """The distance of some images to the first half of the cars."""
    first = FeatureMoments(extractor(cars[0][:HALF]).features)
    return lambda images: frechet_distance(first, FeatureMoments(extractor(images).features))


@pytest.fixture(scope="module")
def floor(cars, distance):
    """The distance of the other half."""
    return distance(cars[0][HALF:])


@pytest.mark.parametrize("name", ["blur", "noise", "checkerboard", "shuffle", "missing", "mixture", "warp"])
def test_distance_rises_with_the_strength_of_a_corruption(cars, distance, floor, name):
    images, _ = cars
    found = [floor]
    for strength in (0.25, 0.5, 1.0):
        generator = torch.Generator().manual_seed(1)
        kinds = torch.full((HALF,), corruptions.CORRUPTIONS.index(name))
        corrupted = corruptions.apply(images[HALF:].float() / 255, kinds, torch.full((HALF,), strength), generator)
        found.append(distance(as_uint8(corrupted)))
    assert found == sorted(found)
    assert found[-1] > 2 * found[0]


def test_distance_rises_when_modes_are_dropped(cars, distance):
    images, views = cars
    kept = [
        torch.tensor([index for index in range(HALF, 2 * HALF) if any(word in views[index] for word in words)])
        for words in (("front", "rear", "left", "right"), ("front", "left", "right"), ("front",))
    ]
    repeated = [images[chosen[torch.arange(HALF) % len(chosen)]] for chosen in kept]
    found = [distance(some) for some in repeated]
    assert found == sorted(found)
    same = images[HALF : HALF + 1].expand(HALF, 3, 64, 64)
    assert distance(same) > 3 * found[0]


def test_the_same_images_have_the_same_features(cars, extractor):
    images, _ = cars
    whole = extractor(images)
    assert whole.features.shape == (2 * HALF, 160)
    assert torch.equal(extractor(images).features, whole.features)
    assert torch.equal(DomainExtractor()(images).features, whole.features)
    torch.testing.assert_close(extractor(images[7:9]).features, whole.features[7:9], rtol=1e-4, atol=1e-4)


def test_images_of_another_size_are_resized(cars, extractor):
    images, _ = cars
    larger = images.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    found, expected = extractor(larger).features, extractor(images).features
    assert float((found - expected).square().mean()) < 0.1 * float(expected.var())  # resizing softens


def test_logits_are_of_views_and_bodies(cars, extractor):
    images, views = cars
    logits = extractor(images).logits
    assert logits.shape == (2 * HALF, len(train.VIEWS) * len(train.BODIES))
    found = logits.softmax(dim=1).reshape(-1, len(train.VIEWS), len(train.BODIES)).sum(dim=2).argmax(dim=1)
    right = [train.VIEWS[view] == truth for view, truth in zip(found.tolist(), views, strict=True)]
    assert sum(right) > 0.5 * len(right)  # by chance an eighth


def test_the_origin_is_the_hash_of_the_shipped_file(extractor):
    content = WEIGHTS.read_bytes()
    assert extractor.origin == f"cars-domain sha256:{hashlib.sha256(content).hexdigest()}"
    assert extractor.suffix == "_domain"
    assert len(content) < 600_000


def test_damaged_weights(tmp_path, monkeypatch):
    path = tmp_path / "weights.pt"
    path.write_bytes(WEIGHTS.read_bytes()[:1000])
    monkeypatch.setattr(module, "WEIGHTS", path)
    with pytest.raises(CheckpointError, match=r"weights\.pt: damaged"):
        DomainExtractor()


def test_without_network_the_domain_extractor_stands_in_and_says_so(monkeypatch, caplog):
    monkeypatch.setattr(inception, "download_address", lambda _: None)
    found = inception_or_domain()
    assert found.suffix == "_domain"
    assert "no FID" in caplog.text


def test_wrong_inception_weights_are_an_error_and_no_reason_to_stand_in(tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"wrong")
    with pytest.raises(CheckpointError, match="not the published"):
        inception_or_domain(str(tmp_path / "weights.pth"))
    with pytest.raises(ConfigError, match=r"model\.fidelity\.weights"):
        domain("weights.pth")


def test_every_corruption_has_its_function_and_leaves_weak_ones_weak():
    images = torch.rand((6, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    for kind, name in enumerate(corruptions.CORRUPTIONS):
        kinds = torch.full((6,), kind)
        weak, strong = (
            corruptions.apply(images, kinds, torch.full((6,), strength), torch.Generator().manual_seed(1))
            for strength in (0.02, 1.0)
        )
        assert strong.shape == images.shape
        assert 0 <= float(strong.min()) <= float(strong.max()) <= 1
        if name == "none":
            assert torch.equal(strong, images)
        else:
            assert float((weak - images).abs().mean()) < 0.5 * float((strong - images).abs().mean())


def test_shuffling_keeps_every_patch():
    images = torch.arange(64.0).view(1, 1, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3).expand(2, 3, 64, 64)
    result = corruptions.shuffle(images, torch.tensor([1.0, 0.5]), torch.Generator().manual_seed(0))
    assert torch.equal(result.flatten(1).sort(dim=1).values, images.flatten(1).sort(dim=1).values)
    moved = (result != images)[:, 0, ::8, ::8].sum(dim=(1, 2))
    assert moved.tolist() == [64, 32]


def test_variations_are_determined_by_the_generator(cars):
    images = cars[0][:8].float() / 255
    first, second, third = (vary(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_a_mirrored_car_is_seen_from_the_other_side():
    """The labels follow the pictures: front_left of a car becomes front_right in a mirror."""
    images = torch.zeros((400, 3, 64, 64), dtype=torch.uint8)
    answers = {name: torch.zeros(400, dtype=torch.long) for name in ("body", "colour", "occlusion")}
    answers["view"] = torch.full((400,), train.VIEWS.index("front_left"))
    _, made, _ = train.make_batch(images, answers, torch.Generator().manual_seed(0))
    assert {train.VIEWS[view] for view in made["view"].tolist()} == {"front_left", "front_right"}


def test_training_repeats_itself(monkeypatch):
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda _: None)  # not for the tests that follow
    first, second = (train.train(cars=24, epochs=1, batch=8) for _ in range(2))
    assert isinstance(first, DomainNetwork)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
