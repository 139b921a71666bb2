"""Generated images with boxes: what the generators of all papers tell of their scenes."""

from typing import Any

from retable.synthetic.dataset import GeneratedDataset


class GeneratedScenes(GeneratedDataset):
    """A generated dataset of scenes, as a detection dataset; a subclass brings `load` and `target`."""

    @property
    def described(self) -> str:
        """What the provenance calls the scenes."""
        return self.title

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the images come from: kind, source, and a fingerprint of the generator's version and parameters."""
        return {
            "kind": "synthetic",
            "source": f"{self.described}, generator version {self.version}",
            "fingerprint": self.fingerprint(),
        }

    def image_size(self, index: int) -> tuple[int, int]:
        """Returns (height, width) of an image in pixels."""
        return (self.size, self.size)
