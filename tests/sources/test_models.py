"""botocore's files about services, as they are read here: what is used of them is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiobotocore.session import AioSession
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, NoShapeFoundError, ServiceModel, StructureShape
from botocore.regions import EndpointResolver

from smwatch.sources.models import CALLED, OPERATIONS, LeanFiles, regions_of_cloudtrail

SERVICES = ("cloudtrail", "logs", "secretsmanager", "sts", "sso", "sso-oidc", "signin")


def lean(*folders: Path) -> Loader:
    return Loader(extra_search_paths=[str(folder) for folder in folders], file_loader=LeanFiles())


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
def test_models_are_the_same_but_for_what_nobody_asks(service: str, kind: str) -> None:
    ours, theirs = (loader.load_service_model(service, kind) for loader in (lean(), Loader()))
    if kind == "service-2" and service in OPERATIONS:
        theirs["operations"] = {name: theirs["operations"][name] for name in OPERATIONS[service]}
        theirs["shapes"] = {name: shape for name, shape in theirs["shapes"].items() if name in ours["shapes"]}
    assert ours == theirs


@pytest.mark.parametrize("service", OPERATIONS)
def test_what_is_asked_has_all_that_it_is_of(service: str) -> None:
    model = ServiceModel(lean().load_service_model(service, "service-2"))
    shapes = [
        shape
        for operation in map(model.operation_model, OPERATIONS[service])
        for shape in (operation.input_shape, operation.output_shape, *operation.error_shapes)
    ]
    seen = set[str]()
    while shapes:
        shape = shapes.pop()
        if shape is None or shape.name in seen:
            continue
        seen.add(shape.name)
        match shape:
            case StructureShape():
                shapes += shape.members.values()  # NoShapeFoundError, if one is missing
            case ListShape():
                shapes.append(shape.member)
            case MapShape():
                shapes += (shape.key, shape.value)
    assert seen


def test_every_service_that_may_be_called_keeps_its_endpoints() -> None:
    prefixes = {Loader().load_service_model(service, "service-2")["metadata"]["endpointPrefix"] for service in SERVICES}
    assert prefixes == CALLED


@pytest.mark.parametrize("service", sorted(CALLED))
def test_endpoints_are_the_same_in_every_region(service: str) -> None:
    ours, theirs = (EndpointResolver(loader.load_data("endpoints")) for loader in (lean(), Loader()))
    assert ours.get_available_partitions() == theirs.get_available_partitions()
    for partition in theirs.get_available_partitions():
        for name in theirs.get_available_endpoints(service, partition, allow_non_regional=True):
            assert ours.construct_endpoint(service, name) == theirs.construct_endpoint(service, name)


async def test_the_regions_are_those_that_botocore_names() -> None:
    session = AioSession()
    named: list[Any] = []
    for partition in session.get_available_partitions():
        named += await session.get_available_regions("cloudtrail", partition)
    assert list(regions_of_cloudtrail(lean().load_data("endpoints"))) == named


def test_a_users_own_models_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "sts" / "2011-06-15"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"metadata": {"own": "é"}}', encoding="utf-8")
    assert lean(tmp_path).load_service_model("sts", "service-2") == {"metadata": {"own": "é"}}


def test_an_endpoints_file_without_services_is_read(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"version": 3, "partitions": [{"partition": "own"}]}', encoding="utf-8")
    assert lean(tmp_path).load_data("endpoints")["partitions"] == [{"partition": "own", "services": {}}]


def test_a_model_of_the_users_own_may_lack_a_shape_until_it_is_asked_for(tmp_path: Path) -> None:
    model = Loader().load_service_model("logs", "service-2")
    del model["shapes"][model["operations"]["FilterLogEvents"]["errors"][0]["shape"]]
    folder = tmp_path / "logs" / "2014-03-28"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_bytes(msgspec.json.encode(model))
    operation = ServiceModel(lean(tmp_path).load_service_model("logs", "service-2")).operation_model("FilterLogEvents")
    assert operation.input_shape is not None
    with pytest.raises(NoShapeFoundError):
        assert operation.error_shapes
