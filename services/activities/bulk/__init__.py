"""Many activities at once: by one JSON request, or from a table as CSV."""
