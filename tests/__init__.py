"""The tests: real Postgres, real Redis, real mail; fakes only for what we don't own."""
