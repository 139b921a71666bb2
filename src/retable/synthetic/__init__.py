"""What the scene generators share: datasets made on demand, random numbers by place, camera, noise, rasters."""
