"""The default StorageClass: a folder for each claim, as kind's `standard` gives, kept over pods."""

import shutil
import time
from pathlib import Path
from typing import Any

from .api import Api, UnavailableError

CLASS = "standard"
PROVISIONER = "modelwarden.test/folder"
FOLDERS = Path("/run/cluster/volumes")

_STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": CLASS,
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": PROVISIONER,
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}


def provide(api: Api, node: str) -> None:
    """Gives every claim that has a pod its volume, and takes released ones away; never returns."""
    while True:
        try:
            _one_round(api, node)
        except UnavailableError as why:
            print(f"volumes: {why}", flush=True)
            time.sleep(1)
        time.sleep(0.5)


def make_class(api: Api) -> None:
    """Creates the class, default for claims that name none."""
    api.create("/apis/storage.k8s.io/v1/storageclasses", _STORAGE_CLASS)


def _one_round(api: Api, node: str) -> None:
    for claim in api.get("/api/v1/persistentvolumeclaims?resourceVersion=0")["items"]:
        if _waits_for_a_volume(claim):
            volume = _volume_for(claim, node)
            folder = FOLDERS / volume["metadata"]["name"]
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)  # a hostPath volume ignores fsGroup, and pods are not root
            api.create("/api/v1/persistentvolumes", volume)
    for volume in api.get("/api/v1/persistentvolumes?resourceVersion=0")["items"]:
        if _is_released(volume):
            shutil.rmtree(FOLDERS / volume["metadata"]["name"], ignore_errors=True)
            api.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")


def _waits_for_a_volume(claim: dict[str, Any]) -> bool:
    return (
        claim["spec"].get("storageClassName") == CLASS
        and not claim["spec"].get("volumeName")
        and "deletionTimestamp" not in claim["metadata"]
        and "volume.kubernetes.io/selected-node" in claim["metadata"].get("annotations", {})
    )


def _volume_for(claim: dict[str, Any], node: str) -> dict[str, Any]:
    metadata = claim["metadata"]
    name = f"pvc-{metadata['uid']}"
    hostname = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "hostPath": {"path": str(FOLDERS / name), "type": "Directory"},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [hostname]}]},
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "volumeMode": "Filesystem",
        },
    }


def _is_released(volume: dict[str, Any]) -> bool:
    return bool(
        volume["metadata"].get("annotations", {}).get("pv.kubernetes.io/provisioned-by")
        == PROVISIONER
        and volume.get("status", {}).get("phase") == "Released"
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    )
