"""Measures of the finished file."""
