"""The README's tour, run as it stands there."""

from __future__ import annotations

import re
import subprocess

from tests.end_to_end.conftest import ROOT, Demo


def block(language: str) -> str:
    """The one block of the README that is marked as the tour's."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language} tour\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_tour_prints_what_the_readme_says(demo: Demo) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block("sh")],
        cwd=ROOT,
        env={**demo.environment, "BURSAR_HOME": str(demo.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (block("text"), 0), done.stderr
