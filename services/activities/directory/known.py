"""The sections and platforms that filters may name, those of old included."""

from __future__ import annotations

from typing import Final

from services.activities.directory import store
from services.kernel.known_codes import KnownCodes

SECTIONS: Final = KnownCodes("section", store.section_codes)
PLATFORMS: Final = KnownCodes("platform", store.platform_codes)
