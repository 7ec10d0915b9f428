"""ECS of one region through the official SDK's generic call; mutating calls use its typed requests.

The typed client would be 4 MB of code for the twenty actions that are called.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from spottui.cloud import ecs_shapes as shapes
from spottui.cloud.batches import Answers, in_halves
from spottui.cloud.budget import Budget, Priority, urgency
from spottui.cloud.credentials import CredentialSource
from spottui.cloud.errors import CloudError, ErrorKind, dry_run
from spottui.cloud.fields import date_of, decode_json, list_of, text_of
from spottui.cloud.launch_request import check_request, launch_request
from spottui.cloud.rpc import CONNECT_TIMEOUT_MS, READ_TIMEOUT_MS, rpc_params, sdk_config
from spottui.cloud.sdk import DaraModel, OpenApiRequest, OpenApiUtils, RpcClient, RuntimeOptions, models
from spottui.cloud.sdk_errors import translate
from spottui.cloud.tagged import by_tag
from spottui.domain.clock import CloudClock
from spottui.domain.instance import Disk, Instance
from spottui.domain.launch_spec import OUR_TAG as OUR_TAG
from spottui.domain.launch_spec import ImageTraits, LaunchSource, LaunchSpec, Part, Secret
from spottui.domain.plan import Candidate
from spottui.domain.region_key import region_id

T = TypeVar("T")
U = TypeVar("U")

PAGE = 100
READINGS = 3
"""How often a list is read again if its count changes between pages."""
ROLES_PER_CALL = 50
Rows = shapes.Rows
VERSION = "2014-05-26"

SYSTEM_DEVICE = "/dev/xvda"


class Answer(msgspec.Struct, frozen=True):
    """The result of a mutating call: the id of the resource, and the RequestId for the audit."""

    resource_id: str
    request_id: str


class ImageSource(msgspec.Struct, frozen=True):
    """What an image is made of: all cloud disks of an instance, or finished snapshots, each with its device.

    The system disk's device is `/dev/xvda` and comes first (docs/alibaba-facts.md 3.1). `traits` are for snapshots,
    which do not record their machine.
    """

    instance_id: str = ""
    snapshots: tuple[tuple[str, str], ...] = ()
    traits: ImageTraits | None = None


class Ecs:
    """The calls of one account and region, `region` its key; thread-safe, made once and shared by all threads.

    Every method raises `CloudError`. Nothing is retried here: only the caller knows the ClientToken and the deadline.
    `clock` gets the date of every answer to a call that reads.
    """

    def __init__(
        self,
        region: str,
        endpoint: str,
        credentials: CredentialSource,
        ca_file: Path | None,
        budget: Budget,
        clock: CloudClock | None = None,
    ) -> None:
        self.region = region
        self.region_id = region_id(region)
        self._credentials = credentials
        self._budget = budget
        self._clock = clock
        self._runtime = RuntimeOptions(connect_timeout=CONNECT_TIMEOUT_MS, read_timeout=READ_TIMEOUT_MS)
        self._client = RpcClient(sdk_config(self.region_id, endpoint, credentials, ca_file))
        self._locked: Rows = {}

    def locked(self) -> tuple[Instance, ...]:
        """Return every instance of the region with a `Recycling` lock: one call for up to 100 of them."""
        with urgency(Priority.LOCK_POLL):
            instances = tuple(spec.instance for spec in self._pages({"LockReason": "Recycling"}, self._locked))
        self._locked = {instance.instance_id: self._locked[instance.instance_id] for instance in instances}
        return instances

    def fleet(self, rows: Rows | None = None) -> Iterator[tuple[LaunchSpec, ...]]:
        """Return the region's instances page by page, each as the part of its launch spec that the page shows.

        `rows` is for repeated sweeps: unchanged rows of a page are not parsed again.
        """
        return self._spec_pages({}, {} if rows is None else rows)

    def launch_specs(self, instance_ids: Iterable[str]) -> Answers[LaunchSpec]:
        """Return those of the given instances that exist, by id; disks, RAM role and user data are not in it."""
        return in_halves(instance_ids, self._specs_of)

    def gone(self, instance_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the given instances that the account may list and the cloud does not: one call per hundred.

        This is no evidence of a reclaim; after its deadline, or a message about it, it proves the release. An id that
        the cloud refuses to look up is not gone.
        """
        wanted = frozenset(instance_ids)
        answers = self.existing(wanted)
        return wanted - answers.keys() - answers.refused.keys()

    def existing(self, instance_ids: Collection[str]) -> Answers[LaunchSpec]:
        """Return the given instances that exist, as `launch_specs`; raises where the account may list none."""
        answers = self.launch_specs(instance_ids)
        if len(answers) + len(answers.refused) < len(instance_ids):
            self.check_permission()
        return answers

    def check_permission(self) -> None:
        """Raise `CloudError` when the account may not list instances: without the permission it sees an empty list."""
        with dry_run():
            self.read("DescribeInstances", {"DryRun": "true"})

    def disks(self, instance_id: str) -> tuple[Disk, ...]:
        """Return the disks of an instance, the system disk first."""
        body = self.read("DescribeDisks", {"InstanceId": instance_id, "PageSize": PAGE})
        return self.parsed("DescribeDisks", shapes.disks, body).get(instance_id, ())

    def disks_by_instance(self) -> Iterator[dict[str, tuple[Disk, ...]]]:
        """Return the region's attached disks page by page, by instance id.

        By token: where a disk is deleted meanwhile, numbered pages would skip another one.
        """
        token = ""
        while True:
            body = self.read("DescribeDisks", {"MaxResults": PAGE, **({"NextToken": token} if token else {})})
            yield self.parsed("DescribeDisks", shapes.disks, body)
            token = text_of(body, "NextToken")
            if not token:
                return

    def user_data(self, instance_id: str) -> Secret | None:
        """Return the instance's user data as the API gives it, Base64, or None when it has none."""
        body = self.read("DescribeUserData", {"InstanceId": instance_id})
        text = body.get("UserData") or ""
        return Secret(str(text)) if text else None

    def ram_roles(self, instance_ids: Iterable[str]) -> Answers[str]:
        """Return the RAM role names of the given instances, without those that have none; 50 ids a call."""
        return in_halves(instance_ids, self._ram_roles_of, ROLES_PER_CALL)

    def image_traits(self, image_ids: Iterable[str]) -> Answers[ImageTraits]:
        """Return what is known of the machine of the given images that are listed, by id; 100 ids a call."""
        return in_halves(image_ids, self._image_traits_of)

    def our_instances(self) -> tuple[Instance, ...]:
        """Return the instances that recoveries launched."""
        return by_tag(lambda query: (spec.instance for spec in self._pages(query)), OUR_TAG)

    def ids_tagged(self, key: str, value: str) -> tuple[str, ...]:
        """Return the instances with a tag, of which there are at most 1,000; raises where the account may list none."""
        ids = tuple(spec.instance.instance_id for spec in self._pages({"Tag.1.Key": key, "Tag.1.Value": value}))
        if not ids:
            self.check_permission()
        return ids

    def our_images(self) -> dict[str, shapes.Image]:
        """Return all images that recoveries made, by id, whatever their status (the default is Available only)."""
        return {image.image_id: image for image in self.images_tagged(OUR_TAG)}

    def own_images(self, image_ids: Iterable[str]) -> Answers[shapes.Image]:
        """Return those of the given images that this account has, whatever their status, by id; 100 ids a call."""
        return in_halves(image_ids, self._own_images_of)

    def images_tagged(self, key: str) -> tuple[shapes.Image, ...]:
        """Return all images of this account that have a tag, whatever their status."""
        return by_tag(self._images, key)

    def has_image_named(self, name: str) -> bool:
        """Whether any image of this account has a name; a new one may not be listed yet."""
        query = {"ImageOwnerAlias": "self", "Status": f"{_STATUSES},Deprecated", "ImageName": name, "PageSize": PAGE}
        images = self.parsed("DescribeImages", shapes.images, self.read("DescribeImages", query))
        return any(image.name == name for image in images)

    def protect(self, disk_ids: Iterable[str]) -> str:
        """Keep cloud disks (at most 100) when their instance goes; return the RequestId. Safe to repeat."""
        request = models.ModifyDiskAttributeRequest(
            region_id=self.region_id, disk_ids=list(disk_ids), delete_with_instance=False
        )
        return self.change("", "ModifyDiskAttribute", request).request_id

    def protect_each(self, disk_ids: Iterable[str]) -> Answers[str]:
        """Keep cloud disks when their instance goes, each that may be kept; return the RequestId that kept it, by id.

        A disk that is gone, local or not permitted is in `refused` and does not affect the others.
        """
        return in_halves(disk_ids, lambda some: dict.fromkeys(some, self.protect(some)))

    def create_image(self, source: ImageSource, name: str, interruption_id: str, token: str) -> Answer:
        """Start an image, tagged with the interruption; returns at once with the image's id."""
        return self.create_tagged_image(source, name, {OUR_TAG: interruption_id}, token)

    def create_tagged_image(self, source: ImageSource, name: str, tags: Mapping[str, str], token: str) -> Answer:
        """Start an image; returns at once with its id."""
        request = models.CreateImageRequest(
            region_id=self.region_id,
            instance_id=source.instance_id or None,
            disk_device_mapping=[_mapping(device, snapshot) for device, snapshot in source.snapshots] or None,
            image_name=name,
            client_token=token,
            tag=[models.CreateImageRequestTag(key=key, value=value) for key, value in tags.items()],
            **(_machine(source.traits) if source.snapshots and source.traits else {}),
        )
        body = self.act("CreateImage", request)
        return created("CreateImage", body.get("ImageId"), body)

    def security_groups(self, group_ids: Iterable[str]) -> tuple[str, ...]:
        """Return those of the given security groups that exist, in their order."""
        wanted = tuple(group_ids)
        query = {"SecurityGroupIds": shapes.id_list(wanted), "PageSize": 50}
        known = self.ask("DescribeSecurityGroups", query, shapes.security_groups)
        return tuple(group_id for group_id in wanted if group_id in known)

    def run_instance(
        self,
        spec: LaunchSpec,
        candidate: Candidate,
        source: LaunchSource,
        interruption_id: str,
        token: str,
        *,
        left_out: Collection[Part] = (),
        private_ip: str = "",
    ) -> Answer:
        """Launch one instance like `spec` at `candidate`, without the parts that are `left_out` (`codes.part_of`).

        Without a `private_ip` the cloud takes a free one. Returns before it runs, and before it can be listed.
        """
        own_tags = {OUR_TAG: interruption_id}
        request = launch_request(spec, candidate, source, token, own_tags, left_out=left_out)
        request.private_ip_address = private_ip or None
        body = self.act("RunInstances", request)
        ids = self.parsed("RunInstances", partial(list_of, outer="InstanceIdSets", inner="InstanceIdSet"), body)
        return created("RunInstances", ids[0] if ids else "", body)

    def start_instance(self, instance_id: str) -> Answer:
        """Start a stopped instance; the call has no token, and is refused for a running instance."""
        request = models.StartInstanceRequest(instance_id=instance_id)
        return self.change(instance_id, "StartInstance", request)

    def launch_failed(self, instance_id: str) -> bool:
        """Whether the cloud itself reports that it removed an instance that it could not start."""
        query = {"InstanceId": instance_id, "EventType": "SystemFailure.Delete", "PageSize": 10}
        body = self.read("DescribeInstanceHistoryEvents", query)
        rows = self.parsed("DescribeInstanceHistoryEvents", shapes.history_events, body)
        return any(found == instance_id and kind == "SystemFailure.Delete" for found, kind in rows)

    def check_launch(self, spec: LaunchSpec, candidate: Candidate) -> None:
        """Ask whether a launch like `spec` at `candidate` would be accepted; launches nothing.

        Raises `CloudError`: the refusal that the launch would meet, or why it could not be asked. The image is the one
        that the old instance was made of. If the API is slow, launches come first.
        """
        with dry_run():
            self.act("RunInstances", check_request(spec, candidate), Priority.FLEET)

    def ask(self, action: str, query: Mapping[str, object], read: Callable[[dict[str, Any]], T]) -> T:
        """Make a call that only reads and return `read` of its body, for modules with their own shapes."""
        return self.parsed(action, read, self.read(action, query))

    def _images(self, query: Mapping[str, object]) -> tuple[shapes.Image, ...]:
        """Return all pages of own images; pages are numbered, so a deletion meanwhile makes a page skip one.

        If the count shows that, all are read again.
        """
        images: list[shapes.Image] = []
        for _ in range(READINGS):
            images, counts, page = [], set[object](), 1
            while True:
                body = self.read("DescribeImages", {**_OWN_IMAGES, **query, "PageSize": PAGE, "PageNumber": page})
                some = self.parsed("DescribeImages", shapes.images, body)
                images += some
                counts.add(body.get("TotalCount"))
                if len(some) < PAGE:
                    break
                page += 1
            if len(counts) == 1:
                break
        return tuple(images)

    def _specs_of(self, instance_ids: Sequence[str]) -> dict[str, LaunchSpec]:
        specs = self._pages({"InstanceIds": shapes.id_list(instance_ids)})
        return {spec.instance.instance_id: spec for spec in specs}

    def _ram_roles_of(self, instance_ids: Sequence[str]) -> dict[str, str]:
        query = {"InstanceIds": shapes.id_list(instance_ids), "PageSize": ROLES_PER_CALL}
        return self.parsed("DescribeInstanceRamRole", shapes.ram_roles, self.read("DescribeInstanceRamRole", query))

    def _own_images_of(self, image_ids: Sequence[str]) -> dict[str, shapes.Image]:
        return {image.image_id: image for image in self._images({"ImageId": ",".join(image_ids)})}

    def _image_traits_of(self, image_ids: Sequence[str]) -> dict[str, ImageTraits]:
        query = {"ImageId": ",".join(image_ids), "Status": "Available,UnAvailable,Deprecated", "PageSize": PAGE}
        return self.parsed("DescribeImages", shapes.image_traits, self.read("DescribeImages", query))

    def _pages(self, filters: Mapping[str, object], rows: Rows | None = None) -> Iterator[LaunchSpec]:
        return chain.from_iterable(self._spec_pages(filters, {} if rows is None else rows))

    def _spec_pages(self, filters: Mapping[str, object], rows: Rows) -> Iterator[tuple[LaunchSpec, ...]]:
        token = ""
        while True:
            query = {**_ALL_ATTRIBUTES, **filters, "MaxResults": PAGE, **({"NextToken": token} if token else {})}
            body = self._read("DescribeInstances", query)
            page = self.parsed("DescribeInstances", partial(decode_json, decoder=shapes.INSTANCE_PAGE), body)
            yield self.parsed("DescribeInstances", partial(shapes.launch_specs, self.region, rows), page)
            token = page.next_token or ""
            if not token:
                return

    def read(self, action: str, query: Mapping[str, object]) -> dict[str, Any]:
        """Make a call that changes nothing, and return its checked body."""
        return shapes.checked(action, self._read(action, query))

    def _read(self, action: str, query: Mapping[str, object]) -> bytes:
        return self._call(action, {"RegionId": self.region_id, **{k: str(v) for k, v in query.items()}})

    def _call(self, action: str, query: dict[str, str], priority: Priority | None = None) -> bytes:
        request = OpenApiRequest(query=query)
        with self._budget.call(action, self.region, priority):
            asked = time.monotonic()
            try:
                answer = self._client.call_api(rpc_params(action, VERSION), request, self._runtime)
            except Exception as error:
                raise translate(action, error, self._credentials) from None
        date = date_of(answer.get("headers"))
        if self._clock and date:
            self._clock.heard(date, time.monotonic() - asked)
        return bytes(answer["body"])

    def parsed(self, action: str, read: Callable[[U], T], body: U) -> T:
        """A field with an undocumented type makes the answer untrustworthy; it is not our defect."""
        try:
            return read(body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CloudError(action, ErrorKind.BROKEN, message=f"a field of an unknown shape ({error})") from None

    def act(self, action: str, request: DaraModel, priority: Priority | None = None) -> dict[str, Any]:
        """Make a call that changes something, from the SDK's own request, and return its checked body."""
        return shapes.checked(action, self._call(action, OpenApiUtils.query(request.to_map()), priority))

    def change(self, resource_id: str, action: str, request: DaraModel) -> Answer:
        """Make a call that changes one resource."""
        return Answer(resource_id, text_of(self.act(action, request), "RequestId"))


def created(action: str, resource_id: object, body: dict[str, Any]) -> Answer:
    """Return the answer of a call that created something; without the id its effect is unknown: the token finds it."""
    request_id = text_of(body, "RequestId")
    if not resource_id or not isinstance(resource_id, str):
        raise CloudError(action, ErrorKind.BROKEN, message="an answer without an id", request_id=request_id)
    return Answer(resource_id, request_id)


def _mapping(device: str, snapshot_id: str) -> models.CreateImageRequestDiskDeviceMapping:
    return models.CreateImageRequestDiskDeviceMapping(
        snapshot_id=snapshot_id, device=device, disk_type="system" if device == SYSTEM_DEVICE else "data"
    )


def _machine(traits: ImageTraits) -> dict[str, Any]:
    imds = traits.imds_support
    return {
        "architecture": traits.architecture or None,
        "platform": traits.platform or None,
        "boot_mode": traits.boot_mode or None,
        "features": models.CreateImageRequestFeatures(imds_support=imds) if imds else None,
    }


# Without it the metadata options are left out of the answer (docs/alibaba-facts.md 1.2).
_ALL_ATTRIBUTES: dict[str, object] = {"AdditionalAttributes.1": "META_OPTIONS"}

_STATUSES = "Creating,Waiting,Available,UnAvailable,CreateFailed"
_OWN_IMAGES: dict[str, object] = {"ImageOwnerAlias": "self", "Status": _STATUSES}
