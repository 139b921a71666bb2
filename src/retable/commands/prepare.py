"""Builds a dataset from files that others published.

python prepare.py data=cityscapes_cars root=CITYSCAPES output=DIR          every car of Cityscapes alone, on green
python prepare.py data=barcode_photos output=DIR count=100                 generated photos of barcodes, as files
python prepare.py ... weights=FILE        weights of maskrcnn_resnet50_fpn, where they cannot be downloaded
python prepare.py ... form=rgba           transparent outside the car
python prepare.py ... crop=false          the whole frame of the photograph
python prepare.py ... size=64             square pictures, the car in proportion in the middle

CITYSCAPES is the folder that leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip (www.cityscapes-dataset.com)
were unpacked into. DIR then holds images/ (python train.py data=cars data.root=DIR/images), instances.csv with every
car and what became of it, contact_sheet.png, dropped.png, and record.json, written last. Interrupted, the same command
goes on. Mask R-CNN takes about 5 seconds a car and core, and 1.5 GB of memory for each of workers=N: use a GPU.
"""

from omegaconf import DictConfig

from retable.run import command_line


def main() -> None:
    """Runs ``prepare.py``."""
    command_line.main(_prepare, "prepare/prepare", __doc__)


def _prepare(config: DictConfig) -> None:
    from retable.run.prepare import prepare  # torch is imported only once the configuration is known to be sound

    prepare(config)


if __name__ == "__main__":
    main()
