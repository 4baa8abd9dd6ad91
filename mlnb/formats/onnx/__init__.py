"""ONNX files, read without their weights and without `onnx`."""
