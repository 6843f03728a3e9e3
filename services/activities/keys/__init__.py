"""Keys by which websites and programs use the services."""
