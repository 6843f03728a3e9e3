"""The commands of `python -m services`, by what they are about; each imports what it needs when it is run."""
