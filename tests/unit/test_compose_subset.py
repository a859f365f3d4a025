"""The strict subset of the compose format: what is refused, where, and with what advice."""

from pathlib import Path

import pytest

from embctl.compose import parse
from embctl.errors import ConfigInvalid
from embctl.model import ServiceSpec
from fakes.stacks import unread_build

FILE = Path("/somewhere/one.yaml")
VARIABLES = {"EMBCTL_A": "aye", "EMBCTL_EMPTY": "", "EMBCTL_PORT": "81"}
HEAD = "name: p\nservices:\n  one:\n    image: i:1\n    container_name: c\n"
TAIL = "volumes:\n  data: {name: d}\nnetworks:\n  default: {name: n}\n"


def service(keys: str) -> ServiceSpec:
    """The service of a file whose line 6 begins with `keys`."""
    text = HEAD + "".join(f"    {line}\n" for line in keys.splitlines()) + TAIL
    return parse(text, FILE, VARIABLES, build=unread_build).services[0]


def refusal(text: str) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        parse(text, FILE, VARIABLES, build=unread_build)
    assert caught.value.code == "compose_invalid"
    assert caught.value.details["file"] == str(FILE)
    return caught.value


def refused_key(keys: str) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        service(keys)
    return caught.value


def test_what_a_file_does_not_say_is_what_the_engine_would_do() -> None:
    spec = service("")
    assert (spec.restart, spec.stop_grace_period, spec.init, spec.read_only) == ("no", 10, False, False)
    assert (spec.mem_limit, spec.memswap_limit, spec.pids_limit, spec.log_driver) == (0, 0, 0, "")
    assert (spec.command, spec.entrypoint, spec.user, spec.build, spec.healthcheck) == (None,) * 5


@pytest.mark.parametrize(
    ("keys", "where", "advice"),
    [
        ("privileged: true", "6:5: services.one.privileged", "Supported: image, build"),
        ("command: ./run", "6:5: services.one.command", "must be a list"),
        ("environment: [A=1]", "6:5: services.one.environment", "mapping of keys (long form)"),
        ("environment: {A: yes}", "6:19: services.one.environment.A", '"yes" must be text: put it in quotes'),
        ("environment: {A: 1}", "6:19: services.one.environment.A", "put it in quotes"),
        ("environment: {A: }", "6:19: services.one.environment.A", "put it in quotes"),
        ("environment: {A: 1:30}", "6:19: services.one.environment.A", "put it in quotes"),
        ("environment: {A: 2026-01-01}", "6:19: services.one.environment.A", "put it in quotes"),
        ("environment: {A: [x]}", "6:19: services.one.environment.A", "a single value"),
        ("ports: ['80:80']", "6:13: services.one.ports[0]", "long form"),
        ("ports:\n  - {target: 80, published: 80}", "7:9: services.one.ports[0]", "host_ip is missing"),
        ("ports:\n  - {target: 0x50, published: 80, host_ip: a}", "7:10: services.one.ports[0].target", "whole number"),
        ("ports:\n  - {target: 080, published: 80, host_ip: a}", "7:10: services.one.ports[0].target", "whole number"),
        ("ports:\n  - {target: '80', published: 80, host_ip: a}", "7:10: services.one.ports[0].target", "whole number"),
        (
            "ports:\n  - {target: 80, published: 0, host_ip: a}",
            "7:22: services.one.ports[0].published",
            "from 1 to 65535",
        ),
        (
            "ports:\n  - {target: 80, published: 80, host_ip: a, protocol: udp}",
            "7:49: services.one.ports[0].protocol",
            "Supported: tcp",
        ),
        ("volumes: ['data:/d']", "6:15: services.one.volumes[0]", "long form"),
        ("volumes:\n  - {type: bind, source: /a, target: /b}", "7:10: services.one.volumes[0].type", "volume, tmpfs"),
        ("volumes:\n  - {type: volume, target: /b}", "7:9: services.one.volumes[0]", "anonymous"),
        (
            "volumes:\n  - {type: volume, source: x, target: /b}",
            "7:24: services.one.volumes[0].source",
            "Supported: data",
        ),
        ("volumes:\n  - {type: tmpfs, source: x, target: /b}", "7:23: services.one.volumes[0].source", "no such key"),
        ("networks: [other]", "6:16: services.one.networks[0]", "Supported: default"),
        ("init: yes", "6:5: services.one.init", "must be true or false"),
        ("init: 'true'", "6:5: services.one.init", "must be true or false"),
        ("read_only: True", "6:5: services.one.read_only", "must be true or false"),
        ("restart: no", "6:5: services.one.restart", "put it in quotes"),
        ("restart: sometimes", "6:5: services.one.restart", "Supported: no, always"),
        ("stop_grace_period: 60", "6:5: services.one.stop_grace_period", "put it in quotes"),
        ("stop_grace_period: '60'", "6:5: services.one.stop_grace_period", "duration with its unit"),
        ("mem_limit: 2gigs", "6:5: services.one.mem_limit", "size with its unit"),
        ("pids_limit: 0", "6:5: services.one.pids_limit", "whole number from 1"),
        ("pids_limit: 1_000", "6:5: services.one.pids_limit", "whole number from 1"),
        ("ulimits: {nofile: 5}", "6:15: services.one.ulimits.nofile", "long form"),
        ("ulimits: {nproc: {soft: 1, hard: 1}}", "6:15: services.one.ulimits.nproc", "Supported: nofile"),
        ("logging: {options: {a: b}}", "6:5: services.one.logging", "driver is missing"),
        ("healthcheck: {test: [CMD, a]}", "6:5: services.one.healthcheck", "interval is missing"),
        (
            "healthcheck: {test: [NONE], interval: 1s, timeout: 1s, retries: 1, start_period: 1s}",
            "6:19: services.one.healthcheck.test",
            "begins with CMD",
        ),
        ("build: .", "6:5: services.one.build", "long form"),
        ("build: {context: .}", "6:5: services.one.build", "dockerfile is missing"),
        ("depends_on: [x]", "6:5: services.one.depends_on", "not supported"),
    ],
)
def test_what_lies_outside_the_subset_is_refused_at_its_place(keys: str, where: str, advice: str) -> None:
    error = refused_key(keys)
    assert error.message.startswith(f"{FILE}:{where}: ")
    assert advice in error.message


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "1:1", "mapping of keys"),
        ("- a", "1:1", "mapping of keys"),
        ("name: p", "1:1", "the key services is missing"),
        ("name: p\nservices: {}", "2:1", "exactly one service, this one 0"),
        ("name: p\nservices: {a: {}, b: {}}", "2:1", "exactly one service, this one 2"),
        (HEAD + "    image: again\n", "6:5", "stands on line 4 already"),
        (HEAD + "volumes:\n  data:\n", "7:3", "long form"),
        (HEAD + "volumes:\n  data: {name: d, external: true}\n", "7:19", "Supported: name"),
        (HEAD + "version: '3'\n", "6:1", "Supported: name, services, volumes, networks"),
        ("name: &n p\n", "1:7", "anchors are not supported"),
        ("name: *n\n", "1:7", "aliases are not supported"),
        ("name: !!str p\n", "1:7", "tags are not supported"),
        ("name: !env p\n", "1:7", "tags are not supported"),
        (HEAD + "    <<: {init: true}\n", "6:5", "merge keys are not supported"),
        ("? [a]\n: b\n", "1:3", "a key must be plain text"),
        ("name: [p\n", "2:1", "not valid YAML"),
        ("name: p\n\tservices: 1", "2:1", "not valid YAML"),
        ("name: p\n---\nname: q\n", "2:1", "not valid YAML"),
        ("name: \x07\n", "1:1", "not valid YAML"),
    ],
)
def test_a_file_of_another_shape_is_refused_at_its_place(text: str, place: str, reason: str) -> None:
    error = refusal(text)
    assert error.message.startswith(f"{FILE}:{place}: ")
    assert reason in error.message


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${EMBCTL_A}", "aye"),
        ("${EMBCTL_A:-b}", "aye"),
        ("x${EMBCTL_A}y${EMBCTL_A}", "xayeyaye"),
        ("${EMBCTL_EMPTY:-b:c/d-e}", "b:c/d-e"),
        ("${EMBCTL_EMPTY}", ""),
        ("${EMBCTL_EMPTY:-}", ""),
        ("$$", "$"),
        ("$${EMBCTL_A}", "${EMBCTL_A}"),
        ("$$$${EMBCTL_A}", "$${EMBCTL_A}"),
    ],
)
def test_variables_are_replaced(written: str, read: str) -> None:
    assert service(f"environment: {{A: '{written}'}}").environment == {"A": read}


def test_a_variables_content_is_taken_as_it_is() -> None:
    text = HEAD.replace("i:1", "${EMBCTL_A}")
    assert parse(text, FILE, {"EMBCTL_A": "$$ ${EMBCTL_B} yes"}).services[0].image == "$$ ${EMBCTL_B} yes"


@pytest.mark.parametrize(
    "written",
    ["$EMBCTL_A", "${EMBCTL_A", "${EMBCTL_A-b}", "${EMBCTL_A:?b}", "${EMBCTL_A:-${EMBCTL_A}}", "${}", "a$", "$1"],
)
def test_any_other_use_of_the_dollar_sign_is_refused(written: str) -> None:
    assert "$$ may begin with $" in refused_key(f"user: '{written}'").message


@pytest.mark.parametrize("written", ["${HOME}", "${EMBCTL_UNSET}", "${EMBCTL_UNSET:-default}"])
def test_a_variable_that_is_no_setting_is_refused_with_those_that_are(written: str) -> None:
    error = refused_key(f"user: '{written}'")
    assert "there is no variable" in error.message
    assert error.details["supported"] == ["EMBCTL_A", "EMBCTL_EMPTY", "EMBCTL_PORT"]


def test_a_variable_may_give_a_number_where_one_is_due() -> None:
    keys = "ports:\n  - {target: 80, published: '${EMBCTL_PORT}', host_ip: a}"
    assert service(keys).ports[0].published == 81
    assert "whole number" in refused_key(keys.replace("PORT", "A")).message


def test_an_error_shows_the_variable_and_not_what_it_holds() -> None:
    assert "aye" not in refused_key("mem_limit: ${EMBCTL_A}").message


def test_extension_keys_are_left_alone_at_every_level() -> None:
    spec = service("x-a: [$not, looked, at]\nlogging: {driver: local, x-b: 1}\nulimits: {x-c: 1}")
    assert spec.log_driver == "local"


def test_a_key_named_like_an_extension_is_an_ordinary_one_among_labels() -> None:
    assert service("labels: {x-a: b}").labels == {"x-a": "b"}
