"""What is asked of a run: while it trains, between its steps, and to go on from a kept one."""
