"""How alike two sentences are: `SentenceSimilarity`, and what stands behind it."""
