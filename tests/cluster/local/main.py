"""The verbs: those of kind that pytest-kind calls, and a few of our own."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import clusters, dockerfile, images, kubeconfigs, machine, programs
from .terminal import say

DEFAULT_NAME = "modelwarden-test"


def main(words: Sequence[str] | None = None) -> int:
    """Does what the words say; the answer is the exit code."""
    chosen = _parser().parse_args(words)
    try:
        return int(chosen.run(chosen) or 0)
    except (
        clusters.ClusterError,
        dockerfile.CannotBuildError,
        images.NoSuchImageError,
        machine.MachineLacksError,
        programs.BuildFailedError,
    ) as failure:
        say(f"error: {failure}")
        return 1
    except subprocess.CalledProcessError as failure:
        said = failure.stderr.decode() if isinstance(failure.stderr, bytes) else failure.stderr
        say(f"error: {failure}\n{said or ''}".rstrip())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kind", description="A Kubernetes cluster of processes, with the verbs of kind."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    get = verbs.add_parser("get", help="clusters, or the kubeconfig of one")
    things = get.add_subparsers(required=True, metavar="THING")
    _verb(things, "clusters", _get_clusters, "the clusters that run")
    _named(_verb(things, "kubeconfig", _get_kubeconfig, "the logins of a cluster"))

    create = verbs.add_parser("create", help="make a cluster")
    made = create.add_subparsers(required=True, metavar="THING")
    cluster = _named(_verb(made, "cluster", _create_cluster, "make a cluster"))
    cluster.add_argument("--kubeconfig", type=Path, help="the file that the logins are added to")
    for word in ("--image", "--config", "--wait"):
        cluster.add_argument(word, help="has no meaning for a node of processes")

    again = verbs.add_parser("restart", help="end a cluster and start it again on its data")
    ended = again.add_subparsers(required=True, metavar="THING")
    _named(_verb(ended, "cluster", _restart_cluster, "end a cluster and start it on its data"))

    load = verbs.add_parser("load", help="carry images into a cluster")
    loaded = load.add_subparsers(required=True, metavar="THING")
    for thing, help_ in (
        ("docker-image", "images from Docker, from buildah's storage or from a file"),
        ("image-archive", "the images of a file"),
    ):
        verb = _named(_verb(loaded, thing, _load, help_))
        verb.add_argument("images", nargs="+", metavar="IMAGE")

    delete = verbs.add_parser("delete", help="take clusters away")
    gone = delete.add_subparsers(required=True, metavar="THING")
    one = _named(_verb(gone, "cluster", _delete_cluster, "take a cluster away"))
    one.add_argument("--kubeconfig", type=Path, help="the file that its logins are taken out of")
    many = _verb(gone, "clusters", _delete_clusters, "take several clusters away")
    many.add_argument("names", nargs="*", metavar="NAME")
    many.add_argument("--all", action="store_true", help="every cluster of this user")

    image = verbs.add_parser("image", help="build the images of a Dockerfile")
    built = image.add_subparsers(required=True, metavar="THING")
    build = _verb(built, "build", _build_image, "build one target of a Dockerfile")
    build.add_argument("--target", required=True, help="the stage of the Dockerfile")
    build.add_argument("--tag", required=True, help="the image's name")
    build.add_argument("context", nargs="?", type=Path, default=Path(), help="here, if not given")

    _verb(verbs, "programs", _programs, "build and install everything that a cluster needs")
    _verb(verbs, "path", _path, "the folder of the programs, for PATH")
    _verb(verbs, "doctor", _doctor, "what this machine lacks")
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: object, help_: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_, description=help_)
    parser.set_defaults(run=run)
    return parser


def _named(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    name = os.environ.get("KIND_CLUSTER_NAME", DEFAULT_NAME)
    parser.add_argument("--name", default=name, help=f"the cluster's name, {name} if not given")
    return parser


def _get_clusters(_: argparse.Namespace) -> None:
    for cluster in clusters.ready():
        print(cluster.name)


def _get_kubeconfig(chosen: argparse.Namespace) -> None:
    print(_ready(chosen.name).kubeconfig.read_text())


def _create_cluster(chosen: argparse.Namespace) -> None:
    cluster = clusters.create(chosen.name)
    target = _kubeconfig(chosen)
    kubeconfigs.merge(cluster.kubeconfig, target)
    say(f"  kubectl --kubeconfig {target} --context kind-{chosen.name} get nodes")


def _restart_cluster(chosen: argparse.Namespace) -> None:
    clusters.restart(chosen.name)


def _load(chosen: argparse.Namespace) -> None:
    for image in chosen.images:
        images.load(_ready(chosen.name), image)


def _delete_cluster(chosen: argparse.Namespace) -> None:
    clusters.delete(chosen.name)
    kubeconfigs.remove(_kubeconfig(chosen), f"kind-{chosen.name}")


def _delete_clusters(chosen: argparse.Namespace) -> None:
    for name in [cluster.name for cluster in clusters.known()] if chosen.all else chosen.names:
        clusters.delete(name)
        kubeconfigs.remove(_kubeconfig(chosen), f"kind-{name}")
        say(f"  {name} is gone")


def _build_image(chosen: argparse.Namespace) -> None:
    if not dockerfile.build(chosen.context.resolve(), chosen.target, chosen.tag):
        say(f"  {chosen.tag} is up to date")


def _programs(_: argparse.Namespace) -> None:
    machine.prepare()
    programs.build()
    say(f"  {programs.directory()}")


def _path(_: argparse.Namespace) -> None:
    print(programs.directory())


def _doctor(_: argparse.Namespace) -> int:
    findings = machine.findings()
    for finding in findings:
        mark = "ok     " if finding.is_well else "MISSING"
        print(f"{mark} {finding.what}" + ("" if finding.is_well else f": {finding.remedy}"))
    return 0 if all(finding.is_well for finding in findings) else 1


def _ready(name: str) -> clusters.Cluster:
    cluster = clusters.named(name)
    if not cluster.is_ready:
        raise clusters.ClusterError(f"no cluster {name!r} runs")
    return cluster


def _kubeconfig(chosen: argparse.Namespace) -> Path:
    if getattr(chosen, "kubeconfig", None):
        return Path(chosen.kubeconfig)
    environment = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(environment) if environment else Path.home() / ".kube" / "config"


if __name__ == "__main__":
    sys.exit(main())
