"""What an act was about: the sections and countries for which its actor's reach was asked."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Asked:
    """The objects of one act, as the one place knows them that every decision about an object goes through."""

    _about: list[tuple[frozenset[str], str | None]] = field(default_factory=list)

    def note(self, sections: frozenset[str], country: str | None) -> None:
        """Remember that the actor reaches something of these sections in this country, and acts on it."""
        # What is a country's own names no section, in one way or another.
        self._about.append((frozenset(code for code in sections if code), country))

    def common(self) -> tuple[frozenset[str], str | None] | None:
        """The sections and the country that everything in this act was of; None where nothing was asked.

        Who is shown an act is shown all of it, so nobody sees one that was also about what others organise.
        """
        if not self._about:
            return None
        sections = frozenset.intersection(*(each for each, _ in self._about))
        countries = {country for _, country in self._about}
        return sections, countries.pop() if len(countries) == 1 else None
