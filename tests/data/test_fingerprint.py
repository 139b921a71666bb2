import pytest

from retable.data.fingerprint import combined_fingerprint, equal_files, fingerprint_files
from retable.data.provenance import Provenance, combine_provenances
from retable.errors import DataError


def test_fingerprint_sees_contents_names_and_settings_but_not_places(tmp_path):
    def made(folder, text="box", image=b"pixels", key="a", extra=("level 1",)):
        folder.mkdir()
        (folder / "a.xml").write_text(text)
        (folder / "a.bmp").write_bytes(image)
        return fingerprint_files({f"{key}.xml": folder / "a.xml"}, {f"{key}.bmp": folder / "a.bmp"}, extra)

    first = made(tmp_path / "first")
    assert len(first) == 64
    assert first == made(tmp_path / "elsewhere")
    others = {
        made(tmp_path / "text", text="Box"),
        made(tmp_path / "image", image=b"Pixels"),
        made(tmp_path / "key", key="b"),
        made(tmp_path / "extra", extra=("level 2",)),
    }
    assert len(others | {first}) == 5


def test_large_images_are_sampled_at_start_middle_and_end(tmp_path):
    path = tmp_path / "a.bmp"
    data = bytearray(3 << 20)

    def fingerprint():
        path.write_bytes(data)
        return fingerprint_files({}, {"a": path})

    seen = {fingerprint()}
    for position in (0, len(data) // 2, len(data) - 1):
        data[position] ^= 1
        seen.add(fingerprint())
    assert len(seen) == 4
    data.append(0)
    assert fingerprint() not in seen


def test_unreadable_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.xml"):
        fingerprint_files({"a": tmp_path / "gone.xml"}, {})


def test_combined_provenance():
    train = Provenance("real", "SSDD", "aa", {"train": 812}, ("two left out",)).as_dict()
    val = Provenance("real", "SSDD", "bb", {"val": 116}, ("two left out",)).as_dict()
    both = combine_provenances({"train": train, "val": val})
    assert both["kind"] == "real"
    assert both["source"] == "SSDD"
    assert both["splits"] == {"train": 812, "val": 116}
    assert both["notes"] == ["two left out"]
    assert both["fingerprint"] == combined_fingerprint({"val": "bb", "train": "aa"})
    assert both["fingerprint"] != combined_fingerprint({"val": "aa", "train": "bb"})
    assert combine_provenances({"train": {**train, "kind": "synthetic"}, "val": val})["kind"] == "mixed"
    parts = {"train/real": train, "train/synthetic": {**train, "kind": "synthetic", "source": "drawn"}}
    mixed = combine_provenances(parts)
    assert (mixed["kind"], mixed["source"], mixed["splits"]) == ("mixed", "SSDD + drawn", {"train": 1624})
    with pytest.raises(ValueError, match="no provenances"):
        combine_provenances({})


def test_equal_files_are_found_by_all_of_their_bytes(tmp_path):
    large = bytearray(2_000_000)
    contents = {"a": b"one", "b": b"two", "c": bytes(large), "d": b"one", "e": b"three"}
    large[300_000] = 1  # between the blocks that a fingerprint samples
    contents["f"] = bytes(large)
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    assert equal_files([tmp_path / name for name in "abc"], [tmp_path / name for name in "efdd"]) == {0: 2}
    assert equal_files([tmp_path / "c"], [tmp_path / "c"]) == {0: 0}
    with pytest.raises(DataError, match="gone: cannot be read"):
        equal_files([tmp_path / "a"], [tmp_path / "gone"])
