"""The records behind events: found, written to files for others, and reported on."""
