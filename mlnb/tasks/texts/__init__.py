"""Texts: what tells them apart, and the features that it tells them by."""
