"""Keras models: the archive `.keras`, and the older `.h5`, which h5py reads in a child."""
