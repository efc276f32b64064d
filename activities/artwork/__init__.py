"""Covers, and the scenes that covers and music videos are drawn from."""
