"""The render workflow on the time-skipping server, with stages that answer at once."""
