"""Pictures of one upright symbol each: the generator, what is cut out of photos, and the loaders of both."""
