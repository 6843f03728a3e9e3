"""What is done to all services together: imports, the sample network, the first start."""
