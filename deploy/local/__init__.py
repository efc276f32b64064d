"""The embedded studio for one machine."""
