"""Telling pictures apart: `ImageClassifier`, and what each of its phases does."""
