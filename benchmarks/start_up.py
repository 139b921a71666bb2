"""From `python train.py` to the end of the first training step, against a minimal Lightning script of the same work.

Target: at most 1.2x. The minimal script imports the same packages and trains the same network on random pictures; it
has no configuration, no checks, no record. Processes alternate; the best of each side is compared, as noise only adds.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS, TARGET = 5, 1.2
MINIMAL = """
import torch, timm
import pytorch_lightning as pl
class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = timm.create_model("resnet18", features_only=True)
    def training_step(self, batch, index):
        return sum(level.mean() for level in self.network(batch[0]))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-3)
    def on_train_batch_end(self, *_):
        print("FIRST STEP", flush=True)
data = torch.utils.data.TensorDataset(torch.rand(16, 3, 128, 128))
trainer = pl.Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False)
trainer.fit(Model(), torch.utils.data.DataLoader(data, batch_size=4))
"""
OURS = """
import runpy, sys
from pytorch_lightning.callbacks import Callback
import retable.run.callbacks as callbacks
original = callbacks.SeedEpochs
class Watched(original):
    def on_train_batch_end(self, *_):
        print("FIRST STEP", flush=True)
callbacks.SeedEpochs = Watched
sys.argv = ["train.py", *sys.argv[1:]]
runpy.run_path("train.py", run_name="__main__")
"""


def until_first_step(code: str, *words: str) -> float:
    """Seconds until the process says that its first step is done; it is ended then."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "FIRST STEP" in line:
            break
    seconds = time.perf_counter() - start
    process.kill()
    process.communicate()
    return seconds


def main() -> int:
    """Prints both sides and the ratio, with W&B (offline) and without a logger."""
    failed = 0
    for logger in ("none", "wandb"):
        ours, minimal = [], []
        for number in range(ROUNDS + 1):
            with tempfile.TemporaryDirectory() as folder:
                words = ["budget=smoke", f"logger={logger}", f"hydra.run.dir={folder}/run", "trainer=cpu"]
                seconds = until_first_step(OURS, *words), until_first_step(MINIMAL)
            if number:  # the first of each fills the file cache
                ours.append(seconds[0])
                minimal.append(seconds[1])
        ratio = min(ours) / min(minimal)
        failed |= ratio > TARGET
        print(
            f"logger={logger}: train.py {min(ours):.2f} s, minimal script {min(minimal):.2f} s: "
            f"{ratio:.2f}x (<= {TARGET})"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
