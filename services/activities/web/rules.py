"""The problems of embedding."""

from __future__ import annotations

from services.kernel.problems import Problem


class OnlyJSON(Problem):
    """The answer is given in JSON only."""

    status = 501
    title = "Format not offered"
