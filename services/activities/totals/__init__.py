"""How an edition stands: its totals so far, and how they compare with the editions before it."""
