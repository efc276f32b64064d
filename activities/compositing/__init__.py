"""The finished picture and sound."""
