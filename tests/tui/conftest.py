import pytest


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playback keeps time without a device, and no environment decides about colours."""
    monkeypatch.setenv("GDR_AUDIO", "null")
    monkeypatch.delenv("NO_COLOR", raising=False)
