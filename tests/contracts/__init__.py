"""The agreement between the services, and the tests that hold it."""
