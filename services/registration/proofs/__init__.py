"""Whether a sign-up has to prove some work first, so that nobody grabs places cheaply."""
