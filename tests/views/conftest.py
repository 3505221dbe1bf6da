import pytest

from ds_magic.views import size


@pytest.fixture
def projected():
    """Everything is drawn for a projector."""
    size.set_size("projector")
    yield
    size.set_size("normal")
