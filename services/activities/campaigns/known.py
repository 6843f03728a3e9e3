"""The editions that filters may name."""

from __future__ import annotations

from typing import Final

from services.activities.campaigns import store
from services.kernel.known_codes import KnownCodes

EDITIONS: Final = KnownCodes("edition", store.edition_codes)
