"""PyTorch's files, read without torch, and nothing in them unpickled."""
