"""Figures by any combination of dimensions, each stating what it counts."""
