"""Watching: what sources bring is kept in the journal, read, and handed on to a store."""
