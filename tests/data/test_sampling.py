import pytest
from torch.utils.data import DataLoader

from retable.data.sampling import EpochSampler, ShardSampler
from retable.errors import ConfigError


def batches(batch_size, world_size, epoch=3, length=23, **options):
    """The global batches, from the samplers of all processes."""
    samplers = [
        EpochSampler(length, batch_size, seed=5, rank=rank, world_size=world_size, **options)
        for rank in range(world_size)
    ]
    orders = []
    for sampler in samplers:
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert len(orders[-1]) == len(sampler)
    assert len({len(order) for order in orders}) == 1
    slices = [slice(k * batch_size, (k + 1) * batch_size) for k in range(len(orders[0]) // batch_size)]
    return [sorted(key for order in orders for key in order[part]) for part in slices]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("length", [1, 3, 4, 8, 23, 24])
def test_global_batches_are_those_of_one_process(drop_last, shuffle, length):
    options = {"drop_last": drop_last, "shuffle": shuffle, "length": length}
    alone = batches(4, 1, **options)
    assert alone == batches(2, 2, **options) == batches(1, 4, **options)
    assert all(len(batch) == 4 for batch in alone)
    seen = [index for batch in alone for _, index in batch]
    assert len(seen) == (max(1, length // 4) if drop_last else -(-length // 4)) * 4
    if not drop_last:
        assert set(seen) == set(range(length))
        assert max(map(seen.count, seen)) - min(map(seen.count, seen)) <= 1
    elif length >= 4:
        assert len(set(seen)) == len(seen)


def test_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        sampler = EpochSampler(50, 5, seed)
        for earlier in range(epoch):  # what came before does not matter
            sampler.set_epoch(earlier)
            next(iter(sampler))
        sampler.set_epoch(epoch)
        return list(sampler)

    resumed = EpochSampler(50, 5, 1)
    resumed.set_epoch(4)
    assert list(resumed) == order(1, 4)
    assert {epoch for epoch, _ in resumed} == {4}
    indices = {tuple(index for _, index in order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1, 2)}
    assert len(indices) == 6


def test_loader_gets_whole_batches_of_keys():
    class Keys:
        def __getitem__(self, key):
            return key

        def __len__(self):
            return 7

    loader = DataLoader(Keys(), batch_size=3, sampler=EpochSampler(7, 3, 0), collate_fn=list)
    loader.sampler.set_epoch(2)
    assert [len(batch) for batch in loader] == [3, 3, 3]
    assert len(loader) == 3
    assert {epoch for batch in loader for epoch, _ in batch} == {2}


@pytest.mark.parametrize(("length", "world_size"), [(10, 1), (10, 2), (11, 2), (3, 4)])
def test_shards_hold_each_image_once(length, world_size):
    shards = [ShardSampler(length, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert sorted(index for shard in shards for index in shard) == list(range(length))
    assert [len(shard) for shard in shards] == [len(list(shard)) for shard in shards]
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_impossible_settings():
    with pytest.raises(ConfigError, match="empty"):
        EpochSampler(0, 4, 0)
    with pytest.raises(ConfigError, match="batch size"):
        EpochSampler(4, 0, 0)
    with pytest.raises(ConfigError, match="process 2 of 2"):
        ShardSampler(4, rank=2, world_size=2)
