"""A scripted incident that needs no AWS: records as CloudTrail writes them, delivered as CloudTrail delivers them."""

from smwatch.sources.demo.source import DemoSource, demo_sources

__all__ = ["DemoSource", "demo_sources"]
