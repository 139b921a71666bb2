import torch

from retable.metrics.fidelity.extractors import as_uint8


def test_floats_are_rounded_and_clipped():
    values = torch.tensor([-0.5, 0.0, 0.5, 1.0, 1.5]).view(5, 1, 1, 1).expand(5, 3, 2, 2)
    assert as_uint8(values)[:, 0, 0, 0].tolist() == [0, 0, 128, 255, 255]
