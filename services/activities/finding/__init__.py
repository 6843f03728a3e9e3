"""Finding activities: filters, words, near me, orders and facets."""
