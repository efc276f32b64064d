"""Composition roots: which process serves which lane with which engines."""
