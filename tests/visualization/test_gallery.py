"""The first images of a test, and the worst ones."""

from retable.visualization.gallery import FirstAndWorst


def test_first_and_worst_are_kept_and_nothing_else_is_drawn() -> None:
    gallery: FirstAndWorst[str] = FirstAndWorst(2, 3)
    drawn: list[str] = []

    def draw(name: str) -> str:
        drawn.append(name)
        return name

    for name, badness in zip("abcdefgh", (0.0, 2.0, 0.0, 1.0, 2.0, 5.0, 1.0, -1.0), strict=True):
        gallery.add(badness, lambda name=name: draw(name))
    assert gallery.first == ["a", "b"]
    assert gallery.worst == ["f", "b", "e"]  # equally bad ones in the order of the test
    assert drawn == ["a", "b", "d", "e", "f"]
