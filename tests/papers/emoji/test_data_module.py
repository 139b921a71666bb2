"""The loaders of drawings: generated and real ones, hands, shares of processes, provenance."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.papers.emoji.stand_in import Stripes, write_classes, write_hands

from retable.errors import ConfigError, DataError
from retable.papers.emoji.classes import CLASSES
from retable.papers.emoji.data_module import EmojiDataModule
from retable.papers.emoji.schema import Augmentation, EmojiConfig, Fractions

SIX = tuple(name for name in CLASSES if name not in ("neutral_face", "winking_face"))


def module(seed: int = 1, **changes: Any) -> EmojiDataModule:
    keys: dict[str, Any] = {
        "drawings": Stripes, "per_class": 10, "image_size": 16, "crop_to_ink": False, "batch_size": 8,
        "eval_batch_size": 3, "workers": 0, "cache_megabytes": 1,
    }  # fmt: skip
    return EmojiDataModule(EmojiConfig(**{**keys, **changes}), seed)


def test_generated_drawings_make_batches_of_the_contract() -> None:
    data = module()
    batch = next(iter(data.train_dataloader()))
    assert batch["images"].shape == (8, 3, 16, 16)
    assert batch["images"].dtype == torch.float32
    assert 0 <= float(batch["images"].min()) <= float(batch["images"].max()) <= 1
    assert (batch["labels"] == batch["indices"] % 8).all()
    assert data.provenance["kind"] == "synthetic"
    assert data.provenance["splits"] == {"train": 48, "val": 16, "test": 16}
    assert data.provenance["counts"]["train"] == {"synthetic": 48}
    seen = sorted(int(index) for batch in data.test_dataloader() for index in batch["indices"])
    assert seen == list(range(16))


def test_every_training_drawing_is_seen_in_every_epoch() -> None:
    data = module(per_class=11, batch_size=10)  # 56 drawings: the last batch is filled up
    indices = [int(index) for batch in data.train_dataloader() for index in batch["indices"]]
    assert set(indices) == set(range(len(data.training_set)))
    assert len(indices) == 60


def test_real_drawings_take_the_place_of_generated_ones(tmp_path: Path) -> None:
    write_classes(tmp_path, dict.fromkeys(SIX, 5))
    data = module(root=str(tmp_path))
    assert data.provenance["kind"] == "real"
    assert data.provenance["splits"] == {"train": 18, "val": 6, "test": 6}
    assert "the real drawings of test show no neutral_face, winking_face" in data.provenance["notes"]
    assert data.classes == CLASSES
    labels = [int(label) for batch in data.test_dataloader() for label in batch["labels"]]
    assert sorted(labels) == sorted(CLASSES.index(name) for name in SIX)


def test_a_test_reads_the_tested_split_alone_and_the_same_one(tmp_path: Path) -> None:
    write_classes(tmp_path, dict.fromkeys(CLASSES, 5))
    whole, alone = module(root=str(tmp_path)), module(root=str(tmp_path))
    alone.roles = ("test",)
    assert alone.provenance["splits"] == {"test": 8}
    assert alone.provenance["fingerprints"]["test"] == whole.provenance["fingerprints"]["test"]


def test_learnt_from_generated_drawings_tested_on_all_real_ones(tmp_path: Path) -> None:
    write_classes(tmp_path, {"angry_face": 1, "winking_face": 4})
    data = module(root=str(tmp_path), train_on="generated")
    assert data.provenance["kind"] == "mixed"
    assert data.provenance["counts"] == {
        "train": {"synthetic": 48}, "val": {"synthetic": 16}, "test": {"real": 5},
    }  # fmt: skip


def test_both_are_learnt_from_and_the_third_hand_is_tested(tmp_path: Path) -> None:
    write_hands(tmp_path, SIX[:2], ("ann", "bob", "eve", "mouse"), 5)
    data = module(root=str(tmp_path), train_on="both", train_hands=["ann", "bob"], test_hands=["eve"])
    assert data.provenance["counts"] == {
        "train": {"synthetic": 48, "real": 16}, "val": {"synthetic": 16, "real": 4}, "test": {"real": 10},
    }  # fmt: skip
    assert any(note.startswith("10 real drawings are in no split") for note in data.provenance["notes"])
    real = data.parts["test"][0]
    assert {drawing.hand for drawing in real.drawings} == {"eve"}  # type: ignore[attr-defined]


def test_real_drawings_are_learnt_from_and_generated_ones_tested(tmp_path: Path) -> None:
    write_classes(tmp_path, dict.fromkeys(SIX, 4))
    data = module(root=str(tmp_path), test_on="generated")
    assert data.provenance["splits"] == {"train": 18, "val": 6, "test": 16}


def test_the_fingerprint_tells_data_apart(tmp_path: Path) -> None:
    write_classes(tmp_path, {"angry_face": 6, "winking_face": 6})
    first = module(root=str(tmp_path)).provenance["fingerprint"]
    assert module(root=str(tmp_path)).provenance["fingerprint"] == first
    assert module(root=str(tmp_path), split_seed=1).provenance["fingerprint"] != first
    (tmp_path / "angry_face" / "0.png").rename(tmp_path / "winking_face" / "new.png")
    assert module(root=str(tmp_path)).provenance["fingerprint"] != first
    assert module().provenance["fingerprint"] != module(drawings_seed=1).provenance["fingerprint"]


def test_augmentation_depends_on_seed_epoch_and_index_alone() -> None:
    def epoch(number: int, **changes: Any) -> dict[int, torch.Tensor]:
        data = module(augment=Augmentation(enabled=True), **changes)
        data.first_epoch = number
        return {
            int(index): image
            for batch in data.train_dataloader()
            for index, image in zip(batch["indices"], batch["images"], strict=True)
        }

    first = epoch(3)
    for other in (epoch(3), epoch(3, batch_size=6), epoch(3, workers=2)):
        assert all(torch.equal(first[index], other[index]) for index in range(48))
    assert not torch.equal(first[0], epoch(4)[0])
    assert not torch.equal(first[0], epoch(3, seed=2)[0])


def test_processes_share_batches_and_test_drawings() -> None:
    whole = next(iter(module().train_dataloader()))["indices"]
    parts, tested = [], []
    for rank in range(2):
        data = module()
        data.trainer = SimpleNamespace(world_size=2, global_rank=rank)  # type: ignore[assignment]
        parts.append(next(iter(data.train_dataloader()))["indices"])
        tested += [int(index) for batch in data.test_dataloader() for index in batch["indices"]]
    assert torch.equal(torch.cat(parts), whole)
    assert sorted(tested) == list(range(16))


def test_a_full_cache_changes_nothing() -> None:
    batches = [
        [batch["images"] for _ in range(2) for batch in data.val_dataloader()]
        for data in (module(), module(cache_megabytes=0))
    ]
    assert all(torch.equal(first, second) for first, second in zip(*batches, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_on": "both"}, r"data\.train_on=both needs real drawings: give data\.root=FOLDER"),
        ({"test_on": "real"}, r"data\.test_on=real needs real drawings"),
        ({"root": ".", "train_on": "generated", "test_on": "generated"}, r"data\.root is given, but"),
        ({"per_class": 2}, r"per_class=2: must be 3 or more"),
        ({"batch_size": 0}, r"batch_size=0"),
        ({"image_size": 4}, r"image_size=4: must be 8 or more"),
        (
            {"train_hands": ["ann"]},
            r"data\.train_hands: there are no real drawings for train, as data\.train_on is gen",
        ),
        (
            {"root": ".", "train_on": "generated", "val_hands": []},
            r"data\.val_hands: there are no real drawings for val",
        ),
        (
            {"root": ".", "test_on": "generated", "test_hands": ["x"]},
            r"data\.test_hands: .* as data\.test_on is generated",
        ),
        ({"train_on": "both_"}, r"train_on=both_: must be generated, real or both"),
    ],
)
def test_senseless_values_are_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        module(**changes)


def test_a_split_without_a_share_is_told() -> None:
    with pytest.raises(ConfigError, match=r"val=0\.0: must be above 0"):
        Fractions(train=1.0, val=0.0, test=0.1)


def test_batches_that_processes_cannot_share_are_told() -> None:
    data = module(batch_size=7)
    data.trainer = SimpleNamespace(world_size=2, global_rank=0)  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"data\.batch_size=7: must be divisible by the 2 processes"):
        data.train_dataloader()


def test_faults_of_the_files_are_told_before_training(tmp_path: Path) -> None:
    write_classes(tmp_path, {"angry_face": 3, "winking_face": 2})
    with pytest.raises(DataError, match="winking_face has 2 images, too few to split them into train, val, test"):
        module(root=str(tmp_path)).train_dataloader()
    (tmp_path / "winking_face" / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.png: the image file is empty"):
        module(root=str(tmp_path)).train_dataloader()


def test_a_hand_that_leaves_nothing_is_told(tmp_path: Path) -> None:
    write_hands(tmp_path, SIX[:2], ("ann", "bob"), 3)
    with pytest.raises(ConfigError, match=r"data\.train_hands: no drawings are left for train"):
        module(root=str(tmp_path), test_hands=["ann", "bob"]).parts  # noqa: B018
    with pytest.raises(
        ConfigError, match=r"data\.test_hands: no drawings are left for test; give data\.test_hands too"
    ):
        module(root=str(tmp_path), train_hands=["ann"]).parts  # noqa: B018


def test_drawings_of_no_known_hand_are_counted_where_a_hand_is_tested(tmp_path: Path) -> None:
    table = write_hands(tmp_path, SIX[:2], ("ann", "bob"), 5) / "labels.csv"
    table.write_text(table.read_text().replace(",bob", ","))
    note = "10 drawings of no known hand are learnt from, perhaps by those of data.test_hands"
    assert note in module(root=str(tmp_path), test_hands=["ann"]).provenance["notes"]
    assert (
        module(root=str(tmp_path), train_on="generated", test_hands=["ann"])
        .provenance["notes"][0]
        .startswith("10 real")
    )
    assert note not in module(root=str(tmp_path)).provenance["notes"]
