"""Workers are composition roots: what they build must fit."""
