"""Drawing on images, contact sheets, plots."""
