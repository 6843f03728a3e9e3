"""A harvester of RPDE feeds as a stranger would write it from the specification: nothing but the standard library."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

MOST_PAGES = 100_000


class Harvester:
    """Keeps a copy of a feed by following `next`, and complains of what the specification forbids."""

    def __init__(self, address: str) -> None:
        self._origin = urllib.parse.urlsplit(address)
        self._next = address
        self._read_up_to: tuple[int, str] = (0, "")
        self.copy: dict[str, dict[str, Any]] = {}
        self.seen_deleted: set[str] = set()
        self.pages = 0

    def catch_up(self) -> None:
        """Read pages until the last one."""
        for _ in range(MOST_PAGES):
            if not self._read():
                return
        raise AssertionError("the feed does not end")

    def _read(self) -> bool:
        with urllib.request.urlopen(self._next, timeout=30) as reply:
            assert reply.headers["Content-Type"] == "application/vnd.openactive.rpde+json; version=1"
            assert "public" in reply.headers["Cache-Control"]
            page = json.load(reply)
        self.pages += 1
        assert page["license"].startswith("https://")
        for item in page["items"]:
            self._take(item)
        target = urllib.parse.urlsplit(page["next"])
        assert (target.netloc, target.path) == (self._origin.netloc, self._origin.path)
        if not page["items"]:
            assert page["next"] == self._next, "the last page is not its own next one"
            return False
        named = dict(urllib.parse.parse_qsl(target.query))
        assert (int(named["afterTimestamp"]), named["afterId"]) == self._read_up_to
        assert page["next"] != self._next
        self._next = page["next"]
        return True

    def _take(self, item: dict[str, Any]) -> None:
        position = (item["modified"], item["id"])
        assert position > self._read_up_to, "an item is not after the one before it"
        self._read_up_to = position
        if item["state"] == "deleted":
            assert "data" not in item
            self.copy.pop(item["id"], None)
            self.seen_deleted.add(item["id"])
        else:
            assert item["state"] == "updated"
            self.copy[item["id"]] = item["data"]
