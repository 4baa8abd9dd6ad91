"""Models of other formats as ONNX files."""
