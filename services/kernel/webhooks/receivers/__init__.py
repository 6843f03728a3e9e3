"""Sample code for those who receive webhooks, to be copied: it knows nothing of the services."""
