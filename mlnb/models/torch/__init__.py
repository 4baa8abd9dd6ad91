"""Live torch modules: traced, shown, fed and run in this process."""
