from tests.charts.rendering import Rendered, pod_templates

NAMES = ["modelwarden-controller", "modelwarden-webhook"]
TMP = "/" + "tmp"  # a folder of the container, not of this machine
# Those that are used; "restricted" allows a few more.
VOLUMES = {"emptyDir", "persistentVolumeClaim", "projected"}


def test_every_pod_satisfies_restricted_pod_security(either: Rendered) -> None:
    pods = dict(pod_templates(either))

    assert sorted(pods) == NAMES
    for pod in pods.values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)
        assert {key for volume in spec["volumes"] for key in volume} <= {"name"} | VOLUMES
        for container in spec["containers"] + spec.get("initContainers", []):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not [port for port in container["ports"] if "hostPort" in port]


def test_only_tmp_and_the_ledger_can_be_written(either: Rendered) -> None:
    writable = {
        name: {
            mount["mountPath"]
            for container in pod["spec"]["containers"]
            for mount in container["volumeMounts"]
            if not mount.get("readOnly")
        }
        for name, pod in pod_templates(either)
    }

    assert writable == {
        "modelwarden-controller": {TMP, "/var/lib/modelwarden"},
        "modelwarden-webhook": {TMP},
    }


def test_a_token_is_mounted_by_the_pod_that_needs_it_and_by_no_account(either: Rendered) -> None:
    assert all(pod["spec"]["automountServiceAccountToken"] for _, pod in pod_templates(either))
    assert not [
        item["metadata"]["name"]
        for item in either.of("ServiceAccount")
        if item["automountServiceAccountToken"]
    ]


def test_every_container_is_probed_on_its_own_health_port(either: Rendered) -> None:
    for _, pod in pod_templates(either):
        [container] = pod["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["http"] == 8080
        assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


def test_every_container_says_what_it_uses(either: Rendered) -> None:
    for _, pod in pod_templates(either):
        for container in pod["spec"]["containers"]:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]


def test_two_controllers_never_run_side_by_side(either: Rendered) -> None:
    spec = either.named("Deployment", "modelwarden-controller")["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_a_webhook_goes_on_answering_until_every_node_knows_that_it_ends(either: Rendered) -> None:
    spec = either.named("Deployment", "modelwarden-webhook")["spec"]
    pod = spec["template"]["spec"]
    drain = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert 0 < drain < pod["terminationGracePeriodSeconds"]


def test_services_reach_the_pods_that_they_mean(either: Rendered) -> None:
    pods = dict(pod_templates(either))
    for service in either.of("Service"):
        labels = pods[service["metadata"]["name"]]["metadata"]["labels"]
        ports = {
            port["name"]
            for container in pods[service["metadata"]["name"]]["spec"]["containers"]
            for port in container["ports"]
        }
        assert service["spec"]["selector"].items() <= labels.items()
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
