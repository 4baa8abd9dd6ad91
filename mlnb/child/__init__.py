"""A second process that may die in our place: it runs functions named `"module:function"`."""
