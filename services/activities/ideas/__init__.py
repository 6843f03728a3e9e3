"""The market of ideas: activities that were held, written down by their organisers so that others can hold them too."""
