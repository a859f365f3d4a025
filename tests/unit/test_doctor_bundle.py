"""The archive for a bug report: nothing of what was planted is in it, and no file is ever overwritten by it."""

import json
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from embctl.errors import Failed
from embctl.flows.context import Context
from embctl.flows.doctor import doctor
from embctl.flows.editor_choice import Machine
from embctl.vscode.hotkeys import System
from fakes.contexts import context_on
from fakes.fake_engine import FakeEngine
from fakes.scenes import running_engine
from fakes.stacks import make_stack, with_service
from settings_layers import from_layers
from small_disk import fill, small_disk

USER = "lovelace"
PLANTED = {
    "env": "env-secret-1",
    "toml": "toml-secret-2",
    "compose": "compose-secret-3",
    "log": "log-secret-4",
    "userinfo": "userinfo-secret-5",
    "query": "query-secret-6",
    "proxy": "proxy-secret-7",
    "bearer": "bearer-secret-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A project with a secret in every place that one can be in."""

    context: Context
    machine: Machine
    engine: FakeEngine
    folder: Path

    def write(self, file: Path) -> Mapping[str, str]:
        """The texts in the archive, by the end of their names."""
        written = doctor(self.context, self.machine, "linux", bundle=file).data.bundle
        assert written == str(file)
        with zipfile.ZipFile(file) as archive:
            assert archive.testzip() is None
            return {name.rpartition("/")[2]: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    home = tmp_path / "home" / USER
    home.mkdir(parents=True)
    env = {
        "EMBCTL_QDRANT_API_KEY": PLANTED["env"],
        "EMBCTL_PACKAGE_INDEX": f"https://ada:{PLANTED['userinfo']}@index.example.com/simple?t={PLANTED['query']}",
        "HTTP_PROXY": f"http://{PLANTED['proxy']}@proxy:3128",
        "USER": USER,
    }
    settings = from_layers(
        tmp_path,
        env={name: value for name, value in env.items() if name.startswith("EMBCTL_")},
        user=f'[hub]\ntoken = "{PLANTED["toml"]}"\n',
    )
    spec = make_stack()
    environment = {
        "EMBSERVER_API_KEY": PLANTED["compose"],
        "EMBSERVER_PACKAGE_INDEX": settings.package_index,
        "EMBSERVER_HUB_TOKEN": settings.hub_token,
    }
    jina = replace(spec.service("jina"), environment=environment, compose_file=home / "compose" / "jina.yaml")
    spec = with_service(spec, jina)
    engine = running_engine(spec)
    engine.say(
        "embctl-jina",
        f'{{"event": "fetching", "url": "https://x:{PLANTED["userinfo"]}@index.example.com/a?b={PLANTED["query"]}"}}',
        f"Authorization: Bearer {PLANTED['bearer']}",
        f"api_key={PLANTED['log']} and {PLANTED['env']} {PLANTED['toml']}",
        f"cannot open {home}/models",
    )
    machine = Machine(env=env, home=home, system=System.LINUX, called="embctl", executable="/nowhere/python")
    with context_on(engine, spec, tmp_path) as context:
        yield Scene(context=replace(context, settings=settings), machine=machine, engine=engine, folder=tmp_path)


def test_nothing_that_was_planted_is_in_the_archive(scene: Scene) -> None:
    texts = scene.write(scene.folder / "report.zip")
    whole = "\n".join(texts.values())
    assert [place for place, secret in PLANTED.items() if secret in whole] == []
    assert USER not in whole


def test_what_a_reader_of_a_report_needs_is_in_it(scene: Scene) -> None:
    texts = scene.write(scene.folder / "report.zip")
    assert set(texts) == {
        "findings.json",
        "versions.json",
        "settings.json",
        "definition.json",
        "observed.json",
        "qdrant.log",
        "jina.log",
    }
    findings: list[dict[str, Any]] = json.loads(texts["findings.json"])
    assert "engine.reachable" in {each["id"] for each in findings}
    assert json.loads(texts["settings.json"])["qdrant.api_key"]["value"] == "********"
    assert json.loads(texts["versions.json"])["engine"]["flavour"] == "Fake Engine"
    assert "cannot open ~/models" in texts["jina.log"]
    assert json.loads(texts["definition.json"])["services"][1]["environment"]["EMBSERVER_API_KEY"] == "********"


def test_a_log_that_cannot_be_read_leaves_a_word_in_its_place(scene: Scene) -> None:
    scene.engine.fail("logs", Failed("The log driver does not support reading.", code="engine_refused"))
    assert "does not support reading" in scene.write(scene.folder / "report.zip")["jina.log"]


def test_a_file_that_is_there_is_left_as_it_is(scene: Scene) -> None:
    mine = scene.folder / "mine.zip"
    mine.write_bytes(b"mine")
    with pytest.raises(Failed, match="exists already") as caught:
        scene.write(mine)
    assert (caught.value.code, mine.read_bytes()) == ("bundle_exists", b"mine")
    assert scene.engine.calls.count(("observe", "embctl")) == 0


def test_a_folder_that_is_not_there_is_told_before_anything_is_looked_at(scene: Scene) -> None:
    with pytest.raises(Failed, match="There is no folder") as caught:
        scene.write(scene.folder / "nowhere" / "report.zip")
    assert caught.value.code == "bundle_unwritable"


def test_on_a_full_disk_no_half_of_an_archive_stays(scene: Scene) -> None:
    with small_disk(scene.folder, size="1m") as disk:
        fill(disk)
        with pytest.raises(Failed, match="could not be written"):
            scene.write(disk / "report.zip")
        assert not (disk / "report.zip").exists()


def test_the_archive_is_its_owners_alone(scene: Scene) -> None:
    file = scene.folder / "report.zip"
    scene.write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
