"""The AWS side: what feeds smwatch, and whether it works."""
