"""kubectl model register: putting an artifact into a store and recording it as a version."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from modelwarden.cli.answers import Answer, CannotError
from modelwarden.cli.manifests import Given, metrics_of, spec_of
from modelwarden.cli.options import (
    OPERATOR_NAME,
    OPERATOR_NAMESPACE,
    Context,
    DryRun,
    Kubeconfig,
    Namespace,
    OperatorName,
    OperatorNamespace,
    Output,
    Timeout,
    TriedOnly,
    Wait,
)
from modelwarden.cli.session import Place, Session, run
from modelwarden.cli.waiting import seconds_to_wait
from modelwarden.errors import MalformedObjectError


def command(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="The file or folder; none if --from names it."),
    ] = None,
    *,
    model: Annotated[str, typer.Option(help="The model it is a version of.")],
    version: Annotated[
        int | None, typer.Option(help="Its number; without it the next free one.", min=1)
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A ModelVersion or the fields of its spec, as YAML."),
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(help="Metrics as YAML: `name: value`, or as in the spec.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="A name that describes it.")] = None,
    trained_by: Annotated[
        list[str] | None, typer.Option(help="Who answers for its training; may be repeated.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="ONNX, Safetensors or MLflow.")
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(
            help="Where the artifact lies already: nothing is sent, and PATH is a copy of it here, "
            "for its digest."
        ),
    ] = None,
    store: Annotated[str | None, typer.Option(help="Which store, by name.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Where the store is reached from here, if elsewhere.")
    ] = None,
    dry_run: TriedOnly = DryRun.NONE,
    wait: Wait = False,
    timeout: Timeout = "15m",
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    operator_namespace: OperatorNamespace = OPERATOR_NAMESPACE,
    operator_name: OperatorName = OPERATOR_NAME,
    output: Output = None,
) -> None:
    """Upload an artifact with your own credentials of the store, and record it as a version."""

    async def verb(session: Session) -> Answer:
        # Imported here because the libraries of stores and schemas take most of a second, which
        # no other verb needs.
        from modelwarden.cli.registering import Registration, register

        registration = Registration(
            model=model,
            path=path,
            version=version,
            base=_read(source, spec_of) if source else {},
            given=Given(
                label=label,
                trained_by=trained_by or (),
                metrics=_read(metrics, metrics_of, numbers_as_text=True) if metrics else (),
            ),
            form=form,
            uri=uri,
            store=store,
            endpoint=endpoint,
            dry_run=dry_run is DryRun.CLIENT,
            operator_namespace=operator_namespace,
            operator_name=operator_name,
            seconds=seconds_to_wait(timeout) if wait else 0,
        )
        return await register(session, registration, output=output)

    run(Place(namespace=namespace, context=context, kubeconfig=kubeconfig), output, verb)


def _read(path: Path, reader: Callable[[Any], Any], *, numbers_as_text: bool = False) -> Any:
    """Read a YAML file; with numbers as text `0.9430` stays what it is."""
    kind = yaml.BaseLoader if numbers_as_text else yaml.SafeLoader
    try:
        # Both make plain values only.
        loader = kind(path.read_text(encoding="utf-8"))
        return reader(loader.get_single_data())
    except OSError as error:
        raise CannotError(f"{path}: cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise CannotError(f"{path}: is no YAML: {error}") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise MalformedObjectError(f"{path}: {error}") from error
