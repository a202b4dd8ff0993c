"""The manifests are what their schemas ask for, and agree with the service and with each other."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from app.main import create_app
from app.settings import Settings, load_settings

Resources = dict[str, dict[str, Any]]
KUBERNETES = ("1.30", "1.37")  # the oldest that knows preStop's sleep without being asked, and the newest
ROOT = Path(__file__).parents[2]
GIVEN = {
    "database-url": "postgresql://counterpoint:secret@db/counterpoint",
    "key-secret": "x" * 64,
    "redis-url": "redis://redis:6379/0",
}


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_would_take_them(resources: Resources, version: str) -> None:
    assert {name.split("/")[0] for name in resources} == {
        "CronJob",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Service",
    }
    for resource in resources.values():
        kubernetes_validate.validate(resource, version, strict=True)
    spoilt = json.loads(json.dumps(resources["Deployment/counterpoint"]))
    spoilt["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, version, strict=True)


def test_compose_would_take_it(compose: dict[str, Any]) -> None:
    place = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(place.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    validator.validate(compose)
    proxy = compose["services"]["proxy"] | {"prots": []}
    assert not validator.is_valid(compose | {"services": {"proxy": proxy}})


def environments(compose: dict[str, Any], pods: Resources) -> Iterator[tuple[str, dict[str, str]]]:
    """Every set of the service's settings in deploy/ and the image, and where it stands."""
    image = dict(re.findall(r"(COUNTERPOINT_\w+)=(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8")))
    yield "Dockerfile", image
    for name, one in compose["services"].items():
        given = one.get("environment", {})
        yield f"compose {name}", image | {key: given[key] for key in given if key.startswith("COUNTERPOINT_")}
    for name, pod in pods.items():
        for container in pod["containers"]:
            variables = container.get("env", [])
            yield (
                name,
                image
                | {
                    one["name"]: one["value"]
                    if "value" in one
                    else GIVEN[one["valueFrom"]["secretKeyRef"]["key"]]
                    for one in variables
                },
            )
    unit = (ROOT / "deploy/systemd/counterpoint.service").read_text(encoding="utf-8")
    yield "systemd", dict(re.findall(r"^Environment=(\w+)=(\S+)$", unit, re.MULTILINE))
    cron = (ROOT / "deploy/retrain.cron").read_text(encoding="utf-8")
    yield "cron", dict(re.findall(r"^(\w+)=(\S+)$", cron, re.MULTILINE))


def test_every_setting_exists_and_is_accepted(
    compose: dict[str, Any], pods: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = dict(environments(compose, pods))
    assert len(found) > 10
    for place, variables in found.items():
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            assert isinstance(load_settings(), Settings), place


def test_every_setting_that_a_page_or_a_manifest_names_exists() -> None:
    known = {f"COUNTERPOINT_{name.upper()}" for name in Settings.model_fields}
    pages = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    named = {
        name
        for path in [*pages, ROOT / "Dockerfile", ROOT / "docs" / "operating.md"]
        for name in re.findall(r"COUNTERPOINT_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 8
    assert {name for name in named if name.split("__")[0] not in known} == set()


def test_the_active_file_lies_with_the_releases_that_are_shared(
    compose: dict[str, Any], pods: Resources
) -> None:
    places = {
        (found.get("COUNTERPOINT_RELEASES"), found["COUNTERPOINT_ACTIVE_FILE"])
        for where, found in environments(compose, pods)
        if found.get("COUNTERPOINT_RELEASES") == "/releases" and where != "cron"
    }
    assert places == {("/releases", "/releases/.active.json")}


def test_probes_and_ports_meet_the_service(
    resources: Resources, compose: dict[str, Any], make_settings: Any
) -> None:
    routes = set(create_app(make_settings()).openapi()["paths"])
    [container] = resources["Deployment/counterpoint"]["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in routes
        assert container[probe]["httpGet"]["port"] == "http"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    [port] = re.findall(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE)
    assert f"COUNTERPOINT_PORT={port}" in dockerfile
    assert container["ports"] == [{"name": "http", "containerPort": int(port)}]
    annotations = resources["Deployment/counterpoint"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == port
    assert annotations["prometheus.io/path"] in routes
    [served] = resources["Service/counterpoint"]["spec"]["ports"]
    assert served["targetPort"] == "http"
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    upstreams = re.findall(r"(counterpoint-\d):(\d+)", caddyfile)
    assert {name for name, _ in upstreams} == {
        n for n in compose["services"] if n.startswith("counterpoint-")
    }
    assert {number for _, number in upstreams} == {port}


def test_selectors_select(resources: Resources) -> None:
    deployment = resources["Deployment/counterpoint"]["spec"]
    labels = deployment["template"]["metadata"]["labels"].items()
    selectors = [
        deployment["selector"]["matchLabels"],
        resources["Service/counterpoint"]["spec"]["selector"],
        resources["PodDisruptionBudget/counterpoint"]["spec"]["selector"]["matchLabels"],
        resources["NetworkPolicy/counterpoint"]["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels
    scaled = resources["HorizontalPodAutoscaler/counterpoint"]["spec"]["scaleTargetRef"]
    assert f"{scaled['kind']}/{scaled['name']}" in resources
    assert "replicas" not in deployment  # which the autoscaler sets
    jobs = resources["CronJob/counterpoint-retrain"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]
    service = resources["Service/counterpoint"]["spec"]["selector"]
    assert not service.items() <= jobs["labels"].items()  # a job gets no requests


def test_every_volume_that_is_mounted_is_there(resources: Resources, pods: Resources) -> None:
    for name, pod in pods.items():
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        containers = [*pod.get("initContainers", []), *pod["containers"]]
        mounted = {mount["name"] for one in containers for mount in one["volumeMounts"]}
        assert mounted == set(volumes), name
        for volume in volumes.values():
            claim = volume.get("persistentVolumeClaim")
            assert claim is None or f"PersistentVolumeClaim/{claim['claimName']}" in resources


def test_there_is_time_to_drain(resources: Resources, compose: dict[str, Any]) -> None:
    pod = resources["Deployment/counterpoint"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    wanted = (
        container["lifecycle"]["preStop"]["sleep"]["seconds"]
        + float(variables["COUNTERPOINT_DRAIN_S"])
        + float(variables["COUNTERPOINT_SHUTDOWN_GRACE_S"])
    )
    assert pod["terminationGracePeriodSeconds"] > wanted
    readiness = container["readinessProbe"]
    assert (
        float(variables["COUNTERPOINT_DRAIN_S"]) > readiness["periodSeconds"] * readiness["failureThreshold"]
    )
    for name in ("counterpoint-1", "counterpoint-2"):
        service = compose["services"][name]
        drain = float(service["environment"]["COUNTERPOINT_DRAIN_S"])
        grace = float(service["environment"]["COUNTERPOINT_SHUTDOWN_GRACE_S"])
        assert int(service["stop_grace_period"].removesuffix("s")) > drain + grace
        caddyfile = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
        [interval], [timeout] = (
            re.findall(rf"health_{word} (\d+)s", caddyfile) for word in ("interval", "timeout")
        )
        assert drain > int(interval) + int(timeout)


def test_nothing_runs_as_root_or_with_more_rights_than_it_needs(
    pods: Resources, compose: dict[str, Any]
) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    runtime = dockerfile.split("\nFROM ")[-1]
    [user] = re.findall(r"^USER (\d+):\d+$", runtime, re.MULTILINE)
    assert f"--uid {user} " in runtime
    assert not re.search(r"apt-get|build-essential|gcc|pip install", runtime)
    assert "HEALTHCHECK" in runtime
    assert "/readyz" in runtime
    for pod in pods.values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert str(pod["securityContext"]["runAsUser"]) == user
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"]["drop"] == ["ALL"]
            assert container["resources"]["limits"]["memory"]
    for name in ("counterpoint-1", "counterpoint-2"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "releases:/releases:ro" in service["volumes"]
        assert "ports" not in service


def test_secrets_come_from_files_and_are_not_in_the_repository(compose: dict[str, Any]) -> None:
    for secret in compose["secrets"].values():
        path = ROOT / "deploy" / secret["file"]
        ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False)
        assert ignored.returncode == 0, f"{path} may be committed by mistake"
    for name, service in compose["services"].items():
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"]
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or variable.endswith("_FILE"), name
            assert not re.search(r"://[^/@]*:[^/@]+@", str(value))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_would_take_the_unit(tmp_path: Path) -> None:
    unit = (ROOT / "deploy/systemd/counterpoint.service").read_text(encoding="utf-8")
    place = tmp_path / "counterpoint.service"
    place.write_text(unit.replace("/opt/counterpoint/bin/counterpoint", "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", place], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "counterpoint" in line]
    assert told == []


def test_the_unit_is_hardened() -> None:
    unit = (ROOT / "deploy/systemd/counterpoint.service").read_text(encoding="utf-8")
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "KillMode=mixed"):
        assert f"\n{line}\n" in unit
    assert "LoadCredential=database_password:" in unit
