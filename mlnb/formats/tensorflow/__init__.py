"""TensorFlow's graphs and SavedModels, read without TensorFlow."""
