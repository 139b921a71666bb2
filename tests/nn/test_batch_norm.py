import copy
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as multiprocessing
from torch import Tensor, nn

from retable.nn.batch_norm import SynchroniseBatchNorm, SynchronisedBatchNorm2d

pytestmark = pytest.mark.slow  # it trains, or starts processes of its own

# Rows of the batch that each of two processes has: uneven on purpose, and one without any.
SPLITS = {"uneven": (slice(0, 3), slice(3, 4)), "one idle": (slice(0, 4), slice(4, 4))}


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 4, 1, bias=False),
        nn.BatchNorm2d(4, momentum=None, affine=False),
    ).double()


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    # A mean far from 0 beside a small spread is where sums of squares would lose their digits.
    x = torch.randn(4, 3, 9, 7, generator=generator, dtype=torch.float64) * 0.01 + 3
    return x, torch.randn(4, 4, 7, 5, generator=generator, dtype=torch.float64)


def train_two_steps(model: nn.Module, x: Tensor, target: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    outputs, gradients = [], []
    for step in range(2):
        x = (x + step).detach().requires_grad_()
        model.zero_grad()
        output = model(x)
        ((output - target).square() * output).sum().backward()
        outputs.append(output.detach())
        gradients.append(x.grad)
    return outputs, gradients


def worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    results = {}
    for name, rows in SPLITS.items():
        plugin = SynchroniseBatchNorm()
        model = plugin.apply(network())
        x, target = (tensor[rows[rank]] for tensor in batch())
        outputs, gradients = train_two_steps(nn.parallel.DistributedDataParallel(model), x, target)
        results[name] = {
            "outputs": outputs,
            # DistributedDataParallel averages the gradients: here of two sums, so twice that is the whole.
            "parameters": [2 * parameter.grad for parameter in model.parameters()],
            "inputs": gradients,
            "state": dict(plugin.revert(model).state_dict()),
            "evaluated": model.eval()(x).detach(),
        }
    torch.save(results, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_train_as_one_with_the_whole_batch(tmp_path: Path):
    multiprocessing.spawn(worker, (str(tmp_path),), nprocs=2)
    saved = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    model = network()
    x, target = batch()
    outputs, gradients = train_two_steps(model, x, target)
    parameters = [parameter.grad for parameter in model.parameters()]
    state = dict(model.state_dict())
    evaluated = model.eval()(x).detach()
    for name in SPLITS:
        results = [ranks[name] for ranks in saved]
        for step in range(2):
            torch.testing.assert_close(torch.cat([r["outputs"][step] for r in results]), outputs[step])
            torch.testing.assert_close(torch.cat([r["inputs"][step] for r in results]), gradients[step])
        torch.testing.assert_close(torch.cat([r["evaluated"] for r in results]), evaluated)
        for result in results:
            torch.testing.assert_close(result["parameters"], parameters, rtol=1e-7, atol=1e-7)
            torch.testing.assert_close(result["state"], state)


def test_one_process_is_plain_batch_normalisation():
    x = torch.randn(2, 5, 4, 4)
    plain, ours = nn.BatchNorm2d(5), SynchronisedBatchNorm2d(5)
    torch.testing.assert_close(ours(x), plain(x))
    torch.testing.assert_close(ours.state_dict(), plain.state_dict())
    torch.testing.assert_close(ours.eval()(x), plain.eval()(x))
    with pytest.raises(ValueError, match=r"\(B, 5, H, W\)"):
        ours(torch.zeros(2, 4, 4, 4))


def test_plugin_changes_classes_and_nothing_else():
    model = network()
    parameters = [id(parameter) for parameter in model.parameters()]
    before = copy.deepcopy(model.state_dict())
    attributes = set(model[1].__dict__)
    plugin = SynchroniseBatchNorm()
    assert plugin.apply(model) is model
    assert [type(model[i]) for i in (1, 4)] == [SynchronisedBatchNorm2d] * 2
    plugin.apply(model)  # twice does no harm
    assert plugin.revert(model) is model
    assert [type(model[i]) for i in (1, 4)] == [nn.BatchNorm2d] * 2
    assert set(model[1].__dict__) == attributes
    assert [id(parameter) for parameter in model.parameters()] == parameters
    torch.testing.assert_close(dict(model.state_dict()), dict(before))


def test_plugin_keeps_the_activation_of_timm_layers():
    norm_act = pytest.importorskip("timm.layers").BatchNormAct2d
    model = nn.Sequential(norm_act(3))
    x = torch.randn(2, 3, 4, 4)
    expected = copy.deepcopy(model)(x)
    plugin = SynchroniseBatchNorm()
    torch.testing.assert_close(plugin.apply(model)(x), expected)
    assert (expected >= 0).all()
    assert isinstance(model[0], SynchronisedBatchNorm2d)
    assert type(plugin.revert(model)[0]) is norm_act


def test_plugin_refuses_what_it_does_not_know():
    with pytest.raises(TypeError, match="layer 0 is a BatchNorm1d"):
        SynchroniseBatchNorm().apply(nn.Sequential(nn.BatchNorm1d(3)))
