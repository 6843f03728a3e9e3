"""What the user told pip about mirrors, certificates and proxies, told again to uv."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mirrors:
    """The variables that uv reads, and the options it has no variable for."""

    variables: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)


def read(listing: str) -> dict[str, list[str]]:
    """Read what `pip config list` prints: `install` wins over `global`, and variables over both."""
    found: dict[str, tuple[int, list[str]]] = {}
    for line in listing.splitlines():
        name, equals, shown = line.partition("=")
        section, dot, key = name.rpartition(".")
        weight = {"global": 0, "install": 1, ":env:": 2}.get(section)
        if not (equals and dot) or weight is None:
            continue
        try:
            value = ast.literal_eval(shown)
        except (ValueError, SyntaxError):
            continue
        if key not in found or weight >= found[key][0]:
            found[key] = (weight, str(value).split())
    return {key: words for key, (_, words) in found.items() if words}


def translate(pip: Mapping[str, list[str]], environment: Mapping[str, str]) -> Mirrors:
    """The same settings in uv's words; what the user told uv itself stands."""
    variables: dict[str, str] = {}

    def put(name: str, *keys: str, between: str = " ") -> None:
        for key in keys:
            if pip.get(key) and name not in environment and name not in variables:
                variables[name] = between.join(pip[key])

    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environment.keys():
        put("UV_DEFAULT_INDEX", "index-url")
    if not {"UV_INDEX", "UV_EXTRA_INDEX_URL"} & environment.keys():
        put("UV_INDEX", "extra-index-url")
        if "UV_INDEX" in variables and "UV_INDEX_STRATEGY" not in environment:
            # As pip does: every index counts the same. Each file must match its pinned hash, so none can slip one in.
            variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    put("UV_FIND_LINKS", "find-links", between=",")
    put("UV_INSECURE_HOST", "trusted-host")
    put("UV_HTTP_TIMEOUT", "timeout", "default-timeout")
    put("UV_KEYRING_PROVIDER", "keyring-provider")
    put("SSL_CERT_FILE", "cert")
    put("SSL_CLIENT_CERT", "client-cert")
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        if name.lower() not in environment:
            put(name, "proxy")
    if variables.get("UV_KEYRING_PROVIDER") not in {None, "subprocess", "disabled"}:
        del variables["UV_KEYRING_PROVIDER"]
    offline = pip.get("no-index", ["no"])[0].lower() in {"1", "yes", "true", "on", "y", "t"}
    return Mirrors(variables, ["--no-index"] if offline else [])
