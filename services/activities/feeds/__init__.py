"""The catalogue in the words of others: a delta feed, calendars, news, maps and ESN's own export."""
