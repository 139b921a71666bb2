"""Names of what a run leaves in its folder."""

RECORD = "record.json"
EARLIER_RECORD = "record-{}.json"  # of a finished run that was given more epochs, by how many it had
IMAGES = "images.npz"  # what the test found in each image
DATA = "data.json"
CONFIG = "config.yaml"
METRICS = "metrics.csv"
CHECKPOINTS = "checkpoints"
BEST = "best.ckpt"
LAST = "last.ckpt"
CURVES = "plots/curves.png"
TESTS = "tests"
LOG = "train.log"  # as conf/hydra says
WANDB_ID = "wandb_id.txt"
