"""Secrets among the settings are told to nobody."""

from pathlib import Path

import pytest

from embctl.settings import FIELDS, Field
from settings_layers import from_layers, refusal

SECRETS = [row for row in FIELDS if row.secret]


@pytest.mark.parametrize("row", SECRETS, ids=lambda row: row.key)
def test_a_secret_is_masked_wherever_it_is_shown(tmp_path: Path, row: Field) -> None:
    settings = from_layers(tmp_path, env={row.env: "s3cr3t"})
    assert getattr(settings, row.attribute) == "s3cr3t"
    assert "s3cr3t" not in repr(settings)
    assert {each.key: each.value for each in settings.listed()}[row.key] == "********"
    assert "s3cr3t" not in str(settings.listed())


@pytest.mark.parametrize("row", SECRETS, ids=lambda row: row.key)
@pytest.mark.parametrize("value", ["'s3cr3t with space'", "['s3cr3t']", '"s3cr3t\\n"', "{x = 's3cr3t'}"])
def test_a_bad_secret_is_not_repeated_in_the_error(tmp_path: Path, row: Field, value: str) -> None:
    error = refusal(tmp_path, project=f"{row.key} = {value}")
    assert row.key in error.message
    assert "s3cr3t" not in f"{error.message} {error.details} {error.actions}"


def test_credentials_in_a_url_are_masked_where_it_is_shown(tmp_path: Path) -> None:
    url = "https://me:s3cr3t@mirror.example.com/simple"
    settings = from_layers(tmp_path, env={"EMBCTL_PACKAGE_INDEX": url})
    assert settings.package_index == url
    assert "https://********@mirror.example.com/simple" in repr(settings)
    assert "s3cr3t" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://mirror.example.com/simple?token=s3cr3t", "https://mirror.example.com/simple?********"),
        ("https://me:s3cr3t@mirror.example.com/?token=s3cr3t", "https://********@mirror.example.com/?********"),
        ("https://me:s3?cr3t@mirror.example.com/", "https://********"),
        ("https://mirror.example.com/?user=me@s3cr3t", "https://********"),
    ],
)
def test_a_key_in_the_query_of_a_url_is_masked_too(tmp_path: Path, url: str, masked: str) -> None:
    settings = from_layers(tmp_path, env={"EMBCTL_HUB_MIRROR": url})
    assert next(each.value for each in settings.listed() if each.key == "hub.mirror") == masked


@pytest.mark.parametrize("url", ["me:s3cr3t@mirror.example.com", "https:/me:s3cr3t@mirror.example.com"])
def test_credentials_in_a_url_are_masked_where_it_is_refused(tmp_path: Path, url: str) -> None:
    error = refusal(tmp_path, env={"EMBCTL_PACKAGE_INDEX": url})
    assert "********@mirror.example.com" in error.message
    assert "s3cr3t" not in f"{error.message} {error.details}"
