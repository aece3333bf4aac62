"""What a browser is told beside the files of the page: what the page may load, and what may be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from serve.dashboard.files import StaticFile


def security(image_hosts: Sequence[str]) -> dict[str, str]:
    """Headers of every file: nothing is loaded from other hosts but pictures, and those from the hosts named alone.

    The report of an evaluation is shown in a frame without an address, to which the same policy applies.
    """
    policy = (
        "default-src 'self'",
        " ".join(("img-src 'self' data:", *image_hosts)),
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding lets gzip through (RFC 9110, section 12.5.3)."""
    weights: dict[str, str] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = weight.replace(" ", "").removeprefix("q=")
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != "" or weight == ""


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether the caller has what the tag names (RFC 9110, section 13.1.2: compared weakly)."""
    if if_none_match is None:
        return False
    known = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return "*" in known or tag in known


def representation(file: StaticFile, accepted: str) -> tuple[bytes, Mapping[str, str]]:
    """A file in the encoding that the caller accepts, and its headers."""
    zipped = file.zipped if file.zipped is not None and accepts_gzip(accepted) else None
    content = file.content if zipped is None else zipped
    headers = {
        "Cache-Control": file.caching,
        "Content-Length": str(len(content)),
        "Content-Type": file.media_type,
        "ETag": f'"{file.tag}"' if zipped is None else f'"{file.tag}-gzip"',
    }
    if file.zipped is not None:
        headers["Vary"] = "Accept-Encoding"
    if zipped is not None:
        headers["Content-Encoding"] = "gzip"
    return content, headers
