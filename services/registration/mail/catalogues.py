"""What students read, in every language that somebody translated it into: the files of the folder `catalogues`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.kernel.catalogues import ENGLISH, Catalogue, Catalogues

FOLDER: Final = Path(__file__).with_name("catalogues")
_ALL: Final = Catalogues(FOLDER)

tags = _ALL.tags
catalogue = _ALL.catalogue
choose = _ALL.choose

__all__ = ["ENGLISH", "FOLDER", "Catalogue", "catalogue", "choose", "tags"]
