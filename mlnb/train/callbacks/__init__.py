"""Callbacks: what is done beside training, at its beginnings and ends."""
