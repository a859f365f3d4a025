"""Keys, passwords and names, in every place where they may stand, are not there afterwards."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from embctl.doctor.redaction import Redaction, redaction_for
from settings_layers import from_layers

NOTHING_KNOWN = Redaction(secrets=(), home="", names=())
SECRET = "Zq7-planted_9"  # noqa: S105 - planted


@pytest.fixture
def redaction(tmp_path: Path) -> Redaction:
    settings = from_layers(
        tmp_path,
        env={"EMBCTL_QDRANT_API_KEY": "qd+rant/key=1", "EMBCTL_PACKAGE_INDEX": "https://ada:pa55@index/simple?t=qu3ry"},
        user='[hub]\ntoken = "hub\\\\token"\n[registry]\nmirror = "registry.example.com"\n',
    )
    env = {
        "HTTPS_PROXY": "http://bob:pr0xy@proxy:3128",
        "OPENAI_API_KEY": "sk-env-1",
        "USER": "lovelace",
        "CI_KEY": "7",
    }
    return redaction_for(settings, env, PurePosixPath("/home/lovelace"))


@pytest.mark.parametrize(
    "secret",
    [
        "qd+rant/key=1",
        "qd%2Brant%2Fkey%3D1",
        "hub\\token",
        "hub\\\\token",
        "pa55",
        "qu3ry",
        "pr0xy",
        "sk-env-1",
    ],
)
def test_what_is_known_to_be_secret_goes_wherever_it_stands_and_however_it_is_spelt(
    redaction: Redaction, secret: str
) -> None:
    assert secret not in redaction.secretless(f"it said: {secret}. Then ({secret}) and x={secret}&y")


@pytest.mark.parametrize(
    "text",
    [
        f"EMBSERVER_API_KEY={SECRET}",
        f'{{"hub_token": "{SECRET}", "n": 1}}',
        f"Authorization: Bearer {SECRET}",
        f"authorization: Basic {SECRET}",
        f"api-key: {SECRET}",
        f"-H 'api-key: {SECRET}'",
        f"curl --password {SECRET} x",
        f"https://user:{SECRET}@example.com/simple",
        f"https://{SECRET}@example.com/simple",
        f"https://user:{SECRET}/with@slashes@example.com/simple",
        f"https://example.com/x?token={SECRET}",
        f"GET /x at http://example.com/x?a=b&sig={SECRET} failed",
        f"http://a:{SECRET}?x@example.com",
        f"hf_{SECRET.replace('-', '')}abc",
        f"Bearer {SECRET}",
    ],
)
def test_what_nobody_knew_of_is_recognised_by_what_stands_before_it(text: str) -> None:
    assert SECRET not in NOTHING_KNOWN.secretless(text)
    assert SECRET.replace("-", "") not in NOTHING_KNOWN.secretless(text)


@pytest.mark.parametrize(
    "text",
    [
        "the server refuses the API key (HTTP 401)",
        "max_tokens: 256, batch_tokens: 4096",
        "qdrant has port 6333",
        "http://127.0.0.1:4000/v1/embeddings: 384 finite numbers",
        "Must provide an API key or an Authorization bearer token",
    ],
)
def test_what_is_no_secret_can_still_be_read(redaction: Redaction, text: str) -> None:
    assert redaction.anonymous(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "/home/lovelace/project/.embctl.toml",
        "C:\\Users\\lovelace\\AppData",
        "C:\\\\Users\\\\lovelace\\\\AppData",
        "/Users/lovelace/Library",
        "/mnt/c/Users/lovelace/x",
        "/run/media/lovelace/disk",
        "process owned by lovelace",
    ],
)
def test_the_users_name_and_home_go(redaction: Redaction, text: str) -> None:
    assert "lovelace" in redaction.secretless(text)
    assert "lovelace" not in redaction.anonymous(text)


def test_other_peoples_homes_go_too(redaction: Redaction) -> None:
    assert redaction.anonymous("cannot read /home/grace/key.pem") == "cannot read /home/somebody/key.pem"


def test_a_home_on_windows_goes_in_either_slash(tmp_path: Path) -> None:
    windows = redaction_for(from_layers(tmp_path), {"USERNAME": "lovelace"}, PureWindowsPath("C:\\Users\\lovelace"))
    for text in ("C:\\Users\\lovelace\\x", "C:/Users/lovelace/x", "c:\\\\Users\\\\lovelace\\\\x"):
        assert "lovelace" not in windows.anonymous(text)


def test_root_is_no_name_and_its_home_is_everybodys(tmp_path: Path) -> None:
    root = redaction_for(from_layers(tmp_path), {"USER": "root"}, PurePosixPath("/root"))
    assert root.anonymous("root in /root/x") == "root in ~/x"


def test_a_structure_keeps_its_form_and_loses_what_its_keys_call_secret(redaction: Redaction) -> None:
    shown = redaction.plain(
        {"QDRANT__SERVICE__API_KEY": SECRET, "EMPTY_TOKEN": "", "paths": ["/home/lovelace/x"], "n": 1}
    )
    assert shown == {"QDRANT__SERVICE__API_KEY": "********", "EMPTY_TOKEN": "", "paths": ["~/x"], "n": 1}


def test_a_short_secret_does_not_eat_other_words(tmp_path: Path) -> None:
    short = redaction_for(from_layers(tmp_path, env={"EMBCTL_JINA_API_KEY": "an"}), {}, PurePosixPath("/home/x"))
    assert short.secretless("an answer: key an") == "******** answer: key ********"
