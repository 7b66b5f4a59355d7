"""What is derived from the journal, one processor to a file.

A module here that has a `PROCESSOR` is one: adding a processor is adding a file. What it makes is
stored by `services/processing`, read by `queries/projections`, and rebuilt by `manage.py rebuild`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from billing.core.processors.base import Processor


@cache
def all_processors() -> dict[str, Processor]:
    """Every processor by its name."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    found = [module.PROCESSOR for module in modules if hasattr(module, "PROCESSOR")]
    return {processor.name: processor for processor in found}
