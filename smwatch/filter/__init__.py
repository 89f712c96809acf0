"""The interactive filter language: what is typed after `/`, and given to --filter."""

from smwatch.filter.editing import Completion, Option, complete, finished, toggled, values_of, with_values
from smwatch.filter.language import Context, Filter, FilterError, check_values, parse

__all__ = [
    "Completion",
    "Context",
    "Filter",
    "FilterError",
    "Option",
    "check_values",
    "complete",
    "finished",
    "parse",
    "toggled",
    "values_of",
    "with_values",
]
