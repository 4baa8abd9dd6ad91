"""One step of training: exact, compiled, guarded, in the precision that was chosen."""
