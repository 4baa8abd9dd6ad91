"""Pickles read as the data they are: nothing is imported or called."""
