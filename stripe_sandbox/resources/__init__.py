"""One module per resource: the operations of `/v1`, each a function of a `Call`.

A module is found by being here. It owns what is particular to its resource; what every
operation does alike (validation, expansion, idempotency) is done before and after it.
"""

from __future__ import annotations
