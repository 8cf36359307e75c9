import pytest

from modelwarden.cluster.paths import CONFIG_MAPS, MODEL_POLICIES, MODELS, PODS


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (MODELS.path(), "/apis/modelwarden.io/v1alpha1/models"),
        (MODELS.path("risk"), "/apis/modelwarden.io/v1alpha1/namespaces/risk/models"),
        (
            MODELS.path("risk", "fraud", "status"),
            "/apis/modelwarden.io/v1alpha1/namespaces/risk/models/fraud/status",
        ),
        (PODS.path("risk", "a", "log"), "/api/v1/namespaces/risk/pods/a/log"),
        (
            MODEL_POLICIES.path("ignored", "standard"),
            "/apis/modelwarden.io/v1alpha1/modelpolicies/standard",
        ),
        (
            CONFIG_MAPS.path("risk", "../secrets"),
            "/api/v1/namespaces/risk/configmaps/..%2Fsecrets",
        ),
    ],
)
def test_an_object_lives_at_one_path(path: str, expected: str) -> None:
    assert path == expected


def test_a_namespaced_object_without_a_namespace_has_no_path() -> None:
    with pytest.raises(ValueError, match="a Model needs a namespace: fraud"):
        MODELS.path(name="fraud")
