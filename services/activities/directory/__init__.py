"""Countries, sections and the words that activities are described with."""
