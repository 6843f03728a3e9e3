"""What the directory refuses."""

from __future__ import annotations

from services.kernel.problems import Conflict, Forbidden, NotFound


class SectionNotFound(NotFound):
    """There is no section with this code."""


class CountryNotFound(NotFound):
    """There is no country of the network with this code."""


class PlatformNotFound(NotFound):
    """There is no regional platform with this code."""


class SyncNotFound(NotFound):
    """There is no list of sections with this id; lists are kept for a month."""


class SectionOutOfReach(Forbidden):
    """This section is not yours and does not lie in your country."""


class OrganisationOutOfReach(Forbidden):
    """Only the national coordinator of this country, ESN International and operators change its organisation."""


class NetworkOnly(Forbidden):
    """Only ESN International and operators change this."""


class DifferenceChanged(Conflict):
    """The directory was changed since: send the list again and look at what it would change now."""

    title = "Difference changed"
