"""Pages as pure functions: what is known, at a moment, in a zone, for a width, as lines of plain pieces."""
