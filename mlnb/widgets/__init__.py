"""What one sees and touches: Python holds the truth in traits, `js/src/` draws it."""
