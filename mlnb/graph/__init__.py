"""A model as a picture: the graph, its folding, layout, summary, and what the viewer gets of it."""
