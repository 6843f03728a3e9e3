"""What people read, instead of a page, where a limit is reached."""
