"""What `fit` takes, read, checked and handed out as batches."""
