"""What one does with pictures and texts: estimators that fit, predict, evaluate and save."""
