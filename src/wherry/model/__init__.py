"""Wherry's own nouns: the values that travel from room to room."""
