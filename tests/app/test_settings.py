"""The environment, and what is wrong with it."""

import os
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.reference import settings_reference
from app.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COUNTERPOINT_")]:
        monkeypatch.delenv(name)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERPOINT_PORT", "9000")
    monkeypatch.setenv("COUNTERPOINT_ALLOW_ACTIVATE", "true")
    monkeypatch.setenv("COUNTERPOINT_BUNDLE_VERSION", "2026.11.0")
    settings = load_settings()
    assert (settings.port, settings.allow_activate, settings.bundle_version) == (9000, True, "2026.11.0")


def test_one_threshold_changes_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERPOINT_THRESHOLDS__INSULT__REVIEW", "0.25")
    monkeypatch.setenv("COUNTERPOINT_THRESHOLDS__THREAT__REJECT", "null")
    thresholds = load_settings().thresholds
    before = Settings.model_fields["thresholds"].default
    assert thresholds.insult.review == 0.25
    assert thresholds.insult.reject == before.insult.reject
    assert thresholds.threat.reject is None
    assert thresholds.toxicity == before.toxicity


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("PORT", "tcp://10.0.0.1:8000", "COUNTERPOINT_PORT"),
        ("PORT", "70000", "COUNTERPOINT_PORT"),
        ("MAX_TEXT_BYTES", "0", "COUNTERPOINT_MAX_TEXT_BYTES"),
        ("LOG_LEVEL", "LOUD", "COUNTERPOINT_LOG_LEVEL"),
        ("ALLOW_ACTIVATE", "perhaps", "COUNTERPOINT_ALLOW_ACTIVATE"),
        ("DEFAULT_LANGUAGE", "English", "COUNTERPOINT_DEFAULT_LANGUAGE"),
        ("THRESHOLDS__INSULT__REVIEW", "high", "COUNTERPOINT_THRESHOLDS__INSULT__REVIEW"),
        ("THRESHOLDS__INSULT__REVIEW", "0.99", "COUNTERPOINT_THRESHOLDS__INSULT"),
        ("THRESHOLDS__INSOLENCE__REVIEW", "0.5", "COUNTERPOINT_THRESHOLDS__INSOLENCE"),
        ("THRESHOLDS", "{", "thresholds"),
    ],
)
def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str
) -> None:
    monkeypatch.setenv(f"COUNTERPOINT_{variable}", value)
    with pytest.raises(SettingsError, match=named):
        load_settings()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_reference_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings_reference()


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("COUNTERPOINT_MAX_TEXT_BYTE", "COUNTERPOINT_MAX_TEXT_BYTES"),
        ("COUNTERPOINT_THRESHOLDS_INSULT__REVIEW", "COUNTERPOINT_THRESHOLDS__INSULT__REVIEW"),
        ("COUNTERPOINT_THRESHOLDS__THREAT__REJEKT", "COUNTERPOINT_THRESHOLDS__THREAT__REJECT"),
        ("counterpoint_databaseurl", "COUNTERPOINT_DATABASE_URL"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value) == f"{variable} is no setting; the nearest one is {nearest}"


@pytest.mark.parametrize("name", ["SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_8000_TCP", "DATA_DIR"])
def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"COUNTERPOINT_{name}", "tcp://10.0.0.1:8000")
    assert load_settings() == Settings()
