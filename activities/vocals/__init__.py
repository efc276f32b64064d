"""Voices that sing."""
