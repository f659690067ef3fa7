"""What the tests of exporters share."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def types() -> Iterator[None]:
    """The type checker's memory, that of the package itself: what exported code imports it knows from there, and learns
    but once otherwise."""
    folder = Path(__file__).resolve().parents[2] / ".mypy_cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(folder))
        yield
