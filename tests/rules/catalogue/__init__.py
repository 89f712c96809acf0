"""What each built-in rule finds, what it leaves alone, and the false positive it is known for, family by family."""
