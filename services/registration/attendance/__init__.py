"""Who was there: check-in and hours."""
