"""What the tests share: databases that cost milliseconds, services in this process or in their own."""
