"""The page on which people sign up by themselves: a form that works without a script."""
