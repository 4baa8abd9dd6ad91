"""What executes a model: each file runs in a child, named there as `"module:function"`."""
