import pytest
import torch

from retable.nn import schedules


def rates(decay: schedules.Decay, warmup: int, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    configured = schedules.scheduled(optimizer, decay, warmup)
    assert configured["lr_scheduler"]["interval"] == "step"
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        configured["lr_scheduler"]["scheduler"].step()
    return found


def test_steps_multiply_the_rate_at_every_interval() -> None:
    assert rates(schedules.step(3, 0.1), 0, 8) == pytest.approx([1] * 3 + [0.1] * 3 + [0.01] * 2)


def test_cosine_falls_from_the_rate_to_zero_after_the_warm_up() -> None:
    found = rates(schedules.cosine(100), 9, 100)
    assert found[0] == pytest.approx(0.1, abs=1e-3)
    assert found.index(max(found)) == 9
    assert found[50] == pytest.approx(0.5)
    assert 0 < found[-1] < 1e-3
    assert sorted(found[9:], reverse=True) == found[9:]


def test_a_constant_rate_is_only_warmed_up() -> None:
    assert rates(schedules.constant, 3, 6) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])
