"""Distinct people: how many different people were present, by place and time, counted exactly."""
