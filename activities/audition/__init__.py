"""Measures of a finished song."""
