"""The public pages of the figures: each view an address of its own, plain HTML without a script."""
