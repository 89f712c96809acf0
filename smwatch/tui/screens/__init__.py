"""Whole screens: each puts widgets together and translates between them and the store."""
