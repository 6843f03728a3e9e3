"""Activities of the past: records of former registers, entered by the same verbs as live ones."""
