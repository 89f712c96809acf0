"""A number of things, in words."""

from __future__ import annotations


def amount(count: int, many: str) -> str:
    """So many of what is called `many` where it is several: 1 event, 1,204 secrets, 2 policies."""
    if count != 1:
        return f"{count:,} {many}"
    return f"1 {many[:-3]}y" if many.endswith("ies") else f"1 {many.removesuffix('s')}"
