"""ESNcards that people name when they sign up: checked by whoever can, and forgotten as soon as that is done."""
