"""YOLOv2 on the first four stages of a ResNet: the paper's detector."""
