"""What is said by a word: losses, optimizers, schedules and metrics, and what stands behind it."""
