"""Incidents put before people."""
