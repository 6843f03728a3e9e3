"""Reminds sections, by mail, of what the other services wait for."""
