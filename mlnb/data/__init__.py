"""Pictures, tables and text: what models eat, and the samples at hand."""
