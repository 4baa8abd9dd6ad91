"""Training: the loop, the run one holds, and what is kept of it."""
