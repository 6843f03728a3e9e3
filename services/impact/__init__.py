"""The service that holds reports and the figures made from them."""
