"""What the objects say, and that they say the same of one another."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.applications import API, DIGEST, JOBS
from tests.support.generated import same_as_golden
from tests.support.manifests import BOTH, FORMS, container, kinds, made, plain, pod, running, texts, the
from wherry.generate.table import WRITERS
from wherry.model.application import Application
from wherry.model.container import Limits
from wherry.model.file import Choice
from wherry.model.plan import Asset, Health, WritableDirectory
from wherry.oci.platform import parse

API_OPEN = replace(API, gateway="infra/public")
UDP = running(API, ports=("53/udp",), health=None, readiness="")
WORKER = running(API, ports=(), health=None, readiness="")
CASES = {"api": (API_OPEN,), "jobs": (JOBS,), "both": (API_OPEN, JOBS)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CASES)
def test_files_are_those_that_people_have_looked_at(form: str, name: str) -> None:
    extras = BOTH if name == "api" else ()
    same_as_golden(f"kubernetes-{form}-{name}", made(form, *CASES[name], extras=extras))


def test_the_row_offers_what_there_is() -> None:
    row = next(one for one in WRITERS if one.what == "kubernetes")
    assert row.option == "form"
    assert row.variants == FORMS
    assert tuple(name for name, _ in row.extras) == BOTH
    assert row.write((API,), Choice(what="kubernetes")) == made("plain", API)


@pytest.mark.parametrize("application", [API, JOBS, UDP, WORKER], ids=["api", "jobs", "udp", "worker"])
def test_whoever_looks_for_pods_finds_these_alone(application: Application) -> None:
    template = the("Deployment", application)["spec"]["template"]["metadata"]["labels"]
    selected = {"app.kubernetes.io/name": application.name, "app.kubernetes.io/instance": application.name}
    assert selected.items() <= template.items()
    found = plain(application)
    for kind, path in {
        "Deployment": ("selector", "matchLabels"),
        "Service": ("selector",),
        "PodDisruptionBudget": ("selector", "matchLabels"),
        "NetworkPolicy": ("podSelector", "matchLabels"),
    }.items():
        for (its, _), one in found.items():
            if its == kind:
                at = one["spec"]
                for key in path:
                    at = at[key]
                assert at == selected, kind
    if "HorizontalPodAutoscaler" in kinds(application):
        target = the("HorizontalPodAutoscaler", application)["spec"]["scaleTargetRef"]
        assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": application.name}
    assert pod(application)["serviceAccountName"] == the("ServiceAccount", application)["metadata"]["name"]


@pytest.mark.parametrize("application", [API, JOBS, UDP], ids=["api", "jobs", "udp"])
def test_services_lead_to_ports_of_the_container(application: Application) -> None:
    listens = {one["name"]: one for one in container(application)["ports"]}
    served = the("Service", application)["spec"]["ports"]
    assert [f"{listens[one['targetPort']]['containerPort']}/{one['protocol'].lower()}" for one in served] == list(
        application.runs.ports
    )


def test_http_is_served_where_people_expect_it_unless_that_is_taken() -> None:
    def served(*ports: str, **changes: object) -> list[int]:
        application = running(API, ports=ports, **changes)
        return [one["port"] for one in the("Service", application)["spec"]["ports"]]

    assert served("8080/tcp") == [80]
    assert served("8080/tcp", tls=True) == [443]
    assert served("8080/tcp", "80/tcp") == [8080, 80]
    assert served("8080/tcp", "9090/tcp") == [80, 9090]
    assert served("8080/tcp", health=None, liveness="", readiness="") == [8080]
    assert served("8080/tcp", health=None, readiness="", tls=True) == [443], "a route is known"


def test_what_listens_nowhere_has_no_service_and_lets_nobody_in() -> None:
    assert "Service" not in kinds(WORKER)
    assert the("NetworkPolicy", WORKER)["spec"]["ingress"] == []
    assert "lifecycle" not in container(WORKER)
    assert "ports" not in container(WORKER)


def test_a_worker_with_a_port_for_its_health_alone_has_no_service() -> None:
    """The API server takes none without ports."""
    watched = running(WORKER, health=API.runs.health)
    assert [one["name"] for one in container(watched)["ports"]] == ["health"]
    assert "Service" not in kinds(watched)


def test_a_check_on_a_port_of_its_own_is_not_served() -> None:
    application = running(JOBS, health=API.runs.health)
    assert {one["name"] for one in container(application)["ports"]} == {"tcp-9099", "udp-5353", "health"}
    assert {one["name"] for one in the("Service", application)["spec"]["ports"]} == {"tcp-9099", "udp-5353"}
    assert 8080 not in [one["port"] for one in the("NetworkPolicy", application)["spec"]["ingress"][0]["ports"]]


def test_only_what_is_called_can_be_reached() -> None:
    def reached(application: Application) -> list[int]:
        return [one["port"] for rule in the("NetworkPolicy", application)["spec"]["egress"] for one in rule["ports"]]

    dns = [53, 53, 5353, 5353]
    assert reached(API) == [*dns, 5432, 443]
    assert reached(JOBS) == [*dns, 6379, 443]
    assert reached(running(WORKER, certificates=False, backing=())) == dns


def test_dns_is_reached_where_clusters_have_it() -> None:
    """A cache on the node has an address that no selector finds; OpenShift's pods listen on another port than their Service."""
    anywhere, openshift = the("NetworkPolicy", API)["spec"]["egress"][:2]
    assert set(anywhere) == {"ports"}
    assert openshift["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}]


def test_requests_come_from_the_cluster_or_through_what_was_asked_for() -> None:
    (closed,) = the("NetworkPolicy", API)["spec"]["ingress"]
    (opened,) = the("NetworkPolicy", API, ("ingress",))["spec"]["ingress"]
    assert closed["from"] == [{"namespaceSelector": {}}]
    assert "from" not in opened
    assert closed["ports"] == opened["ports"] == [{"protocol": "TCP", "port": 8080}]


def test_an_entrance_opens_the_port_that_it_leads_to_and_no_other() -> None:
    several = running(API_OPEN, ports=("8080/tcp", "9090/tcp", "8080/udp"))
    opened, closed = the("NetworkPolicy", several, ("gateway",))["spec"]["ingress"]
    assert opened == {"ports": [{"protocol": "TCP", "port": 8080}]}
    assert closed["from"] == [{"namespaceSelector": {}}]
    assert closed["ports"] == [{"protocol": "TCP", "port": 9090}, {"protocol": "UDP", "port": 8080}]


def test_entrances_lead_to_the_service() -> None:
    found = plain(API_OPEN, extras=BOTH)
    (served,) = found["Service", "shop-api"]["spec"]["ports"]
    ingress = found["Ingress", "shop-api"]["spec"]
    backend = ingress["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "shop-api", "port": {"name": served["name"]}}
    assert ingress["rules"][0]["host"] == ingress["tls"][0]["hosts"][0] == "shop.example.com"
    route = found["HTTPRoute", "shop-api"]["spec"]
    assert route["rules"] == [{"backendRefs": [{"name": "shop-api", "port": served["port"]}]}]
    assert route["parentRefs"] == [{"name": "public", "namespace": "infra"}]
    assert route["hostnames"] == ["shop.example.com"]


def test_images_are_named_as_exactly_as_is_known() -> None:
    pinned = container(replace(API, digest=DIGEST))
    assert pinned["image"] == f"registry.example.com/shop/shop-api@{DIGEST}"
    assert pinned["imagePullPolicy"] == "IfNotPresent"
    assert container(API)["image"] == "registry.example.com/shop/shop-api:1.4.0"
    assert container(API)["imagePullPolicy"] == "Always"
    assert container(replace(API, version="1.4.0+dirty"))["image"].endswith(":1.4.0-dirty")
    text = texts("plain", API)["deploy/deployment.yaml"]
    assert "# A tag can move" in text
    assert "Docker Hub" not in text
    assert "Docker Hub" in texts("plain", JOBS)["deploy/deployment.yaml"]


def test_graceful_times_add_up() -> None:
    def whole(**changes: object) -> tuple[int, int]:
        application = running(API, **changes)
        pause = container(application).get("lifecycle", {"preStop": {"sleep": {"seconds": 0}}})
        return pause["preStop"]["sleep"]["seconds"], pod(application)["terminationGracePeriodSeconds"]

    for grace, drain in ((30.0, 10.0), (30.0, 0.0), (12.0, 10.0), (25.5, 10.5), (1.0, 0.0)):
        pause, total = whole(grace=grace, drain=drain)
        assert pause == 5
        assert total == pause + math.ceil(grace), "as a compose file says it, which has no pause"
    assert whole(grace=30.0, ports=(), health=None, readiness="") == (0, 30)


def test_go_knows_of_its_limits() -> None:
    def environment(application: Application) -> dict[str, str]:
        return {one["name"]: one["value"] for one in container(application).get("env", ())}

    assert environment(API) == {"GOMEMLIMIT": "235929KiB"}
    assert environment(JOBS) == {"GOMEMLIMIT": "58982KiB", "GOMAXPROCS": "1"}
    assert environment(running(API, go_memory_limit=0)) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"go_memory_limit": 256 << 20},
        {"memory_request": 257 << 20},
        {"cpu_request": 2.5},
    ],
    ids=str,
)
def test_limits_that_cannot_hold_are_never_written(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="limit"):
        made("plain", running(API, **changes))


def test_resources_are_what_was_decided() -> None:
    resources = container(API)["resources"]
    assert resources["requests"] == {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"}
    assert resources["limits"] == {"cpu": "2", "memory": "256Mi", "ephemeral-storage": "384Mi"}
    open_ended = running(API, limits=Limits(), go_memory_limit=0, memory_request=0, cpu_request=0.0)
    assert container(open_ended)["resources"]["limits"] == {"ephemeral-storage": "384Mi"}


def test_copies_follow_the_load_where_that_can_be_measured() -> None:
    assert "replicas" not in the("Deployment", API)["spec"]
    assert the("HorizontalPodAutoscaler", API)["spec"]["minReplicas"] == 2
    fixed = replace(API, most_replicas=2)
    assert "HorizontalPodAutoscaler" not in kinds(fixed)
    assert the("Deployment", fixed)["spec"]["replicas"] == 2
    unmeasured = running(API, cpu_request=0.0)
    assert "HorizontalPodAutoscaler" not in kinds(unmeasured)
    single = replace(fixed, replicas=1, most_replicas=1)
    assert "PodDisruptionBudget" not in kinds(single)
    assert "topologySpreadConstraints" not in pod(single)


def test_a_volume_is_never_wanted_twice() -> None:
    spec = the("Deployment", JOBS)["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert not kinds(JOBS) & {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    claim = the("PersistentVolumeClaim", JOBS)
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}} in pod(JOBS)["volumes"]


def test_what_finds_its_own_work_is_never_there_twice() -> None:
    """Unless somebody says that it may."""
    alone = replace(WORKER, replicas=1, most_replicas=1)
    spec = the("Deployment", alone)["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert not kinds(alone) & {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    several = replace(WORKER, replicas=3, most_replicas=3)
    spec = the("Deployment", several)["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (3, "RollingUpdate")
    assert the("Deployment", replace(API, replicas=1, most_replicas=1))["spec"]["strategy"]["type"] == "RollingUpdate"


def test_several_volumes_are_several_files() -> None:
    application = running(JOBS, volumes=("/data", "/index", "/data"))
    claims = [path for path in texts("plain", application) if "persistentvolumeclaim" in path]
    assert claims == ["deploy/persistentvolumeclaim-jobs-data.yaml", "deploy/persistentvolumeclaim-jobs-index.yaml"]


def test_each_mount_has_its_volume_and_each_directory_one() -> None:
    odd = (WritableDirectory(path="/a/b"), WritableDirectory(path="/a-b"), WritableDirectory(path="/tmp"))
    application = running(API, writable=(*odd, WritableDirectory(path="/" + "x" * 80)))
    mounts = {one["mountPath"]: one["name"] for one in container(application)["volumeMounts"]}
    assert set(mounts) == {"/tmp", "/home/nonroot", "/a/b", "/a-b", "/" + "x" * 80, "/run/secrets"}
    assert sorted(mounts.values()) == sorted(one["name"] for one in pod(application)["volumes"])
    assert len(set(mounts.values())) == len(mounts)
    assert max(map(len, mounts.values())) <= 63


def test_files_of_the_image_that_a_volume_hides_are_told() -> None:
    hiding = running(JOBS, writable=(WritableDirectory(path="/srv"),))
    assert (
        "# It begins empty and hides what the image has in /srv/templates"
        in texts("plain", hiding)["deploy/deployment.yaml"]
    )
    beside = replace(hiding, assets=(Asset(source="a", into="/srv2"),))
    assert "hides" not in texts("plain", beside)["deploy/deployment.yaml"]


def test_a_home_with_files_of_the_image_stays_as_it_is() -> None:
    at_home = replace(API, assets=(Asset(source="a", into="/home/nonroot/.config/a"),))
    assert "/home/nonroot" not in {one["mountPath"] for one in container(at_home)["volumeMounts"]}
    assert "/home/nonroot stays read-only" in texts("plain", at_home)["deploy/deployment.yaml"]
    beside = replace(API, assets=(Asset(source="a", into="/home/nonroot2"),))
    assert "/home/nonroot" in {one["mountPath"] for one in container(beside)["volumeMounts"]}
    assert "stays read-only" not in texts("plain", beside)["deploy/deployment.yaml"]


def test_the_recorded_profile_is_a_file_of_the_node() -> None:
    application = running(API, seccomp="seccomp/api.json")
    profile = pod(application)["securityContext"]["seccompProfile"]
    assert profile == {"type": "Localhost", "localhostProfile": "shop-api.json"}
    text = texts("plain", application)["deploy/deployment.yaml"]
    assert "/var/lib/kubelet/seccomp/shop-api.json" in text
    assert "seccomp/api.json" in text
    assert {kind for kind, _ in plain(application)} == {kind for kind, _ in plain(API)}


def test_ports_below_1024_need_no_root() -> None:
    allowed = pod(running(API, ports=("443/tcp", "80/tcp")))["securityContext"]["sysctls"]
    assert allowed == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]
    assert "sysctls" not in pod(API)["securityContext"]


def test_an_image_for_one_processor_is_not_sent_to_others() -> None:
    assert pod(JOBS)["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    assert "nodeSelector" not in pod(API)
    assert "nodeSelector" not in pod(replace(API, platforms=()))
    arm = (parse("linux/arm/v6"), parse("linux/arm/v7"))
    assert pod(replace(API, platforms=arm))["nodeSelector"]["kubernetes.io/arch"] == "arm"


def test_a_program_that_serves_tls_is_asked_by_tls() -> None:
    application = running(API_OPEN, tls=True)
    assert {container(application)[f"{one}Probe"]["httpGet"]["scheme"] for one in ("liveness", "readiness")} == {
        "HTTPS"
    }
    (served,) = the("Service", application)["spec"]["ports"]
    assert (served["name"], served["appProtocol"]) == ("https", "https")
    assert "backend-protocol" in texts("plain", application, extras=BOTH)["deploy/ingress.yaml"]


def test_the_namespace_comes_first_and_once() -> None:
    alone = list(texts("plain", API))
    assert min(alone) == "deploy/00-namespace.yaml"
    assert "deploy/00-namespace.yaml" not in texts("plain", JOBS)
    several = texts("plain", API, replace(JOBS, namespace="shop"))
    assert [path for path in several if "namespace" in path] == ["deploy/00-namespace.yaml"]
    assert {path.split("/")[1] for path in several} == {"00-namespace.yaml", "shop-api", "jobs"}
    level = plain(API)["Namespace", "shop"]["metadata"]["labels"]
    assert level["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("form", FORMS)
def test_another_port_changes_the_lines_that_state_it_alone(form: str) -> None:
    other = running(API, ports=("8181/tcp",), health=Health(port=8181, path="/healthz"))
    before, after = texts(form, API), texts(form, other)
    assert before.keys() == after.keys()
    changed = [
        (old.strip(), new.strip())
        for path, text in before.items()
        for old, new in zip(text.splitlines(), after[path].splitlines(), strict=True)
        if old != new
    ]
    assert changed
    assert all("8080" in old and new == old.replace("8080", "8181") for old, new in changed)


@pytest.mark.parametrize("form", FORMS)
def test_no_line_of_one_application_is_in_the_other(form: str) -> None:
    ours = "\n".join(texts(form, JOBS).values())
    assert not [word for word in ("8080", "65532", "shop", "5432", "healthz", "postgres") if word in ours]
    theirs = "\n".join(texts(form, API).values())
    assert not [word for word in ("9099", "udp-5353", "1001", "jobs", "6379", "/data") if word in theirs]


@pytest.mark.parametrize("application", [API, JOBS], ids=lambda one: one.name)
def test_user_and_group_are_those_of_the_image(application: Application) -> None:
    said = pod(application)["securityContext"]
    runs = application.runs
    assert (said["runAsUser"], said["runAsGroup"], said["fsGroup"]) == (runs.user, runs.group, runs.group)
