"""Create dj-stripe's tables on an empty database."""

from __future__ import annotations

from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

_APP: Final = "djstripe"


class Command(BaseCommand):
    """To run before the first `migrate`: `manage.py install_mirror && manage.py migrate`.

    dj-stripe's migrations replay its history, which takes the better part of a minute. On an empty
    database what they come to is created at once, in one transaction, and they are recorded as
    applied: later ones are applied as any other app's. They hold no steps for data, so nothing is
    missed.

    Like `migrate`, it is run by one process at a time.
    """

    help = "Create dj-stripe's tables in seconds, where there are none; else do nothing."
    requires_system_checks = ()  # some of them want the tables

    def handle(self, *_: Any, **__: Any) -> None:
        """Create the tables, unless they are there."""
        if any(name.startswith(f"{_APP}_") for name in connection.introspection.table_names()):
            self.stdout.write("The mirror's tables are there: nothing to do.")
            return
        executor = MigrationExecutor(connection)
        own = {key for key in executor.loader.graph.nodes if key[0] == _APP}
        executor.migrate(sorted(_before(executor, own)))
        executor.recorder.ensure_schema()
        with connection.schema_editor() as editor:
            for model in _models(executor, own):
                editor.create_model(model)
            recorder = MigrationRecorder(connection)
            for _app, name in sorted(own):
                recorder.record_applied(_APP, name)
        self.stdout.write("Created the mirror's tables.")


def _models(executor: MigrationExecutor, own: set[tuple[str, str]]) -> list[type[Model]]:
    """The tables as they are after the last of these migrations."""
    after = executor.loader.project_state(sorted(own)).apps
    models = list(after.get_app_config(_APP).get_models())
    return [model for model in models if model._meta.can_migrate(connection)]  # noqa: SLF001


def _before(executor: MigrationExecutor, own: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The migrations of other apps that these stand on."""
    parents = {parent.key for key in own for parent in executor.loader.graph.node_map[key].parents}
    return parents - own
