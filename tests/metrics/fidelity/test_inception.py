import hashlib

import pytest
import torch

from retable.errors import CheckpointError
from retable.metrics.fidelity import inception as module
from retable.metrics.fidelity.inception import SHA256, InceptionExtractor, inception


def test_the_published_hash_is_that_of_the_file_name():
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    assert len(SHA256) == 64
    assert URL_INCEPTION_V3.endswith(f"-{SHA256[:8]}.pth")


def test_another_file_is_refused_before_it_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("was loaded"))
    path = tmp_path / "weights-inception-2015-12-05-6726825d.pth"
    path.write_bytes(b"truncated")
    digest = hashlib.sha256(b"truncated").hexdigest()[:8]
    with pytest.raises(
        CheckpointError, match=rf"6726825d\.pth: not the published.* begins {digest} \(9 bytes\), 6726825d"
    ):
        inception(str(path))


def test_a_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        inception(str(tmp_path / "none.pth"))


def test_without_network_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(module, "download_address", lambda _: None)
    with pytest.raises(CheckpointError, match=r"model\.fidelity\.weights=FILE"):
        inception()


def test_the_network_of_torch_fidelity(tmp_path, monkeypatch):
    """With weights of our own in place of the published ones, whose hash they are then given."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    monkeypatch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
    monkeypatch.setattr(FeatureExtractorInceptionV3, "INPUT_IMAGE_SIZE", 80)
    path = tmp_path / "weights.pth"
    torch.save({}, path)
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    extractor = InceptionExtractor(path)
    found = extractor(torch.zeros((2, 3, 16, 16), dtype=torch.uint8))
    assert found.features.shape == (2, 2048)
    assert found.logits.shape == (2, 1008)
    assert extractor.suffix == ""
    assert module.SHA256 in extractor.origin
