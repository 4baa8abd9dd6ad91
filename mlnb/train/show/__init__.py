"""What a run shows of itself: lines, a table, a curve; on a page and in a terminal."""
