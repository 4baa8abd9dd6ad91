"""Networks built layer by layer, each an ordinary torch module in the end."""
