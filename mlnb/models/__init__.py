"""A loaded model, and what runs it."""
