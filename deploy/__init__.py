"""The machine: a Python environment, Postgres, Valkey and the services, set up, watched over and taken down."""
