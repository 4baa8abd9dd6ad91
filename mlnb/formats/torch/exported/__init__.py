"""PyTorch's ExportedProgram, a `.pt2` file."""
