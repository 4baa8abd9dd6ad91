"""What is kept of a run: copies of its state, in memory and in folders, and the way back."""
