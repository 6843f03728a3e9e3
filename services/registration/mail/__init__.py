"""What is written to students, in the languages it is written in."""
