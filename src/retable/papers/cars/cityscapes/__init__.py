"""The dataset of the essay, built from Cityscapes: one picture for each car, on green."""
