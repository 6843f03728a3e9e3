"""Figures that describe people: only in tables declared beforehand, and never so small that they point at somebody."""
