"""Mouth shapes from speech."""
