"""The service that holds the catalogue of activities."""
