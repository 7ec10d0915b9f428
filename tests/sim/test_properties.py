"""No sequence of calls can double, misplace, give twice or lose: state machines over a world and over a queue."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from spottui.sim import market, reclaim, rpc
from spottui.sim.clock import Clock, iso_minutes, iso_seconds
from spottui.sim.errors import ApiError, MnsError
from spottui.sim.mns.queues import Attributes, Queue
from spottui.sim.params import Params
from spottui.sim.populate import Plan, build
from spottui.sim.registry import ECS, Body, Call, find
from spottui.sim.saving import load, save
from spottui.sim.settings import Settings

REGION = "cn-hangzhou"
SMALL = st.integers(0, 7)
"""An index into whatever there is; small, so that calls meet the same things again."""
TOKENS = st.sampled_from(["a", "b", "c"])


POWER = ["StopInstance", "StartInstance", "RebootInstance", "DeleteInstance"]


class TheCloud(RuleBasedStateMachine):
    """Calls in any order, with time passing, reclaims, releases, and the world saved and loaded in between."""

    @initialize(behavior=st.sampled_from(["plain", "fails", "slow tokens", "slow"]))
    def begin(self, behavior):
        assert rpc.REGISTERED
        knobs = Settings(image_base_s=20, image_s_per_gib=0, boot_s=10)
        knobs.launches_that_fail = 3 if behavior == "fails" else 0
        knobs.token_in_process_s = 5 if behavior == "slow tokens" else 0
        knobs.stop_s = 2
        if behavior == "slow":
            knobs.eip_s = knobs.kept_disk_s = knobs.reclaim_stop_s = 3
            knobs.stop_fails_snapshots = True
        self.world = build(Plan(instances=6), Clock(0, 1.8e9), knobs)
        self.answers = {}

    def do(self, name: str, **params: str) -> Body | None:
        call = Call(self.world, Params({"RegionId": REGION, **params}), self.world.settle(), ECS)
        try:
            return find(ECS, name)(call)
        except ApiError:
            return None

    def pick(self, table: str, index: int) -> str:
        rows = list(getattr(self.world, table))
        return rows[index % len(rows)] if rows else "none"

    @rule(token=TOKENS, image=SMALL, zone=SMALL, address=st.integers(4, 14), amount=st.integers(1, 2))
    def launch(self, token, image, zone, address, amount):
        vswitch = self.pick("vswitches", zone)
        wanted = {"PrivateIpAddress": f"172.16.{zone % 3 * 64}.{address}"} if address < 14 and amount == 1 else {}
        answer = self.do(
            "RunInstances", ClientToken=token, ImageId=self.pick("images", image), InstanceType="ecs.g7.large",
            VSwitchId=vswitch, SecurityGroupId=self.world.regions[REGION].security_group_id, Amount=str(amount),
            SpotStrategy="SpotAsPriceGo", InternetMaxBandwidthOut="1", **wanted,
        )  # fmt: skip
        self.same_answer("RunInstances", token, answer)

    @rule(token=TOKENS, instance=SMALL)
    def make_image(self, token, instance):
        answer = self.do("CreateImage", ClientToken=token, InstanceId=self.pick("instances", instance))
        self.same_answer("CreateImage", token, answer)

    @rule(token=TOKENS)
    def allocate_address(self, token):
        self.same_answer("AllocateEipAddress", token, self.do("AllocateEipAddress", ClientToken=token))

    def same_answer(self, action, token, answer):
        if answer is not None:
            assert self.answers.setdefault((action, token), answer) == answer

    @rule(instance=SMALL, disk=SMALL, bootable=st.booleans())
    def attach(self, instance, disk, bootable):
        target, what = self.pick("instances", instance), self.pick("disks", disk)
        self.do("AttachDisk", InstanceId=target, DiskId=what, Bootable=str(bootable))

    @rule(disk=SMALL, instance=SMALL, own=st.booleans())
    def detach(self, disk, instance, own):
        what = self.pick("disks", disk)
        held_by = self.world.disks[what].instance_id if own and what in self.world.disks else ""
        self.do("DetachDisk", InstanceId=held_by or self.pick("instances", instance), DiskId=what)

    @rule(disk=SMALL)
    def delete_disk(self, disk):
        self.do("DeleteDisk", DiskId=self.pick("disks", disk))

    @rule(disk=SMALL, keep=st.booleans())
    def keep_disk(self, disk, keep):
        self.do("ModifyDiskAttribute", DiskId=self.pick("disks", disk), DeleteWithInstance=str(not keep))

    @rule(instance=SMALL, action=st.sampled_from(POWER), force=st.booleans())
    def change_power(self, instance, action, force):
        self.do(action, InstanceId=self.pick("instances", instance), Force=str(force), StoppedMode="StopCharging")

    @rule(instance=SMALL, eip=SMALL)
    def bind(self, instance, eip):
        self.do(
            "AssociateEipAddress", AllocationId=self.pick("eips", eip), InstanceId=self.pick("instances", instance)
        )  # fmt: skip

    @rule(eip=SMALL)
    def unbind(self, eip):
        self.do("UnassociateEipAddress", AllocationId=self.pick("eips", eip))

    @rule(instance=SMALL, snapshot=SMALL, attached=st.booleans())
    def make_disk(self, instance, snapshot, attached):
        where = {"InstanceId": self.pick("instances", instance)} if attached else {"ZoneId": f"{REGION}-h"}
        of = {"SnapshotId": self.pick("snapshots", snapshot)} if self.world.snapshots else {"Size": "20"}
        self.do("CreateDisk", **where, **of)

    @rule(token=TOKENS, instance=SMALL)
    def make_group(self, token, instance):
        answer = self.do("CreateSnapshotGroup", ClientToken=token, InstanceId=self.pick("instances", instance))
        self.same_answer("CreateSnapshotGroup", token, answer)

    @rule(group=SMALL)
    def delete_group(self, group):
        self.do("DeleteSnapshotGroup", SnapshotGroupId=self.pick("snapshot_groups", group))

    @rule(zone=SMALL, more=st.integers(0, 2))
    def make_interface(self, zone, more):
        group = self.world.regions[REGION].security_group_id
        self.do("CreateNetworkInterface", VSwitchId=self.pick("vswitches", zone), SecurityGroupId=group,
                SecondaryPrivateIpAddressCount=str(more))  # fmt: skip

    @rule(
        eni=SMALL, instance=SMALL, keep=st.booleans(),
        action=st.sampled_from(["Attach", "Detach", "Delete", "Modify", "AssignPrivateIpAddresses"]),
    )  # fmt: skip
    def change_interface(self, eni, instance, keep, action):
        name = action if action.startswith("Assign") else f"{action}NetworkInterface"
        name += "Attribute" if action == "Modify" else ""
        self.do(
            name, NetworkInterfaceId=self.pick("enis", eni), InstanceId=self.pick("instances", instance),
            DeleteOnRelease=str(not keep), SecondaryPrivateIpAddressCount="1",
        )  # fmt: skip

    @rule(instance=SMALL)
    def take_back(self, instance):
        row = self.world.instances.get(self.pick("instances", instance))
        if row and row.is_spot:
            market.take_back(self.world, row, self.world.settle(), notice_s=30)

    @rule(instance=SMALL)
    def lock_twice(self, instance):
        row = self.world.instances.get(self.pick("instances", instance))
        if row and row.is_spot:
            reclaim.lock(self.world, row, self.world.settle() + 5)

    @rule(seconds=st.sampled_from([1, 4, 11, 40]))
    def wait(self, seconds):
        self.world.advance(seconds)

    @rule()
    def save_and_load(self):
        saved = save(self.world)
        self.world = load(saved)
        assert save(self.world) == saved

    @invariant()
    def no_disk_is_in_two_places(self):
        holders = Counter(disk for row in self.world.instances.values() for disk in row.disk_ids)
        assert all(number == 1 for number in holders.values())
        for disk in self.world.disks.values():
            assert (disk.id in holders) == bool(disk.instance_id) == (disk.status == "In_use")
            assert not disk.instance_id or disk.id in self.world.instances[disk.instance_id].disk_ids
        for row in self.world.instances.values():
            devices = [disk.device for disk in self.world.disks_of(row)]
            assert len(set(devices)) == len(devices)

    @invariant()
    def no_address_is_given_twice(self):
        rows = self.world.instances.values()
        private = [(row.vswitch_id, ip) for row in rows for ip in (row.private_ip, *row.more_private_ips)]
        private += [(eni.vswitch_id, ip) for eni in self.world.enis.values() for ip in eni.private_ips]
        public = [row.public_ip for row in rows if row.public_ip] + [eip.address for eip in self.world.eips.values()]
        assert len(set(private)) == len(private)
        assert len(set(public)) == len(public)
        assert sum(len(vswitch.used) for vswitch in self.world.vswitches.values()) == len(private)

    @invariant()
    def an_eip_and_its_instance_agree(self):
        bound = {eip.id: eip.instance_id for eip in self.world.eips.values() if eip.instance_id}
        assert bound == {row.eip_id: row.id for row in self.world.instances.values() if row.eip_id}

    @invariant()
    def an_interface_is_at_an_instance_that_is_there_and_in_its_zone(self):
        for eni in self.world.enis.values():
            if eni.instance_id:
                holder = self.world.instances[eni.instance_id]
                assert self.world.vswitches[eni.vswitch_id].zone == holder.zone

    @invariant()
    def no_disk_has_two_snapshots_in_the_making(self):
        making = Counter(one.disk_id for one in self.world.snapshots.values() if one.status == "progressing")
        assert all(number == 1 for number in making.values())
        assert all(disk in self.world.disks for disk in making)

    @invariant()
    def one_token_launched_at_most_once(self):
        launched = [ids for (action, _), answer in self.answers.items() if action == "RunInstances"
                    for ids in answer["InstanceIdSets"]["InstanceIdSet"]]  # fmt: skip
        new = [row.id for row in self.world.instances.values() if row.created_at >= 1.8e9]
        assert set(new) <= set(launched)


class OneQueue(RuleBasedStateMachine):
    """Consumers that take, hold, delete and forget, against a model of what must be where."""

    @initialize(timeout_s=st.sampled_from([1, 30, 60]), shuffled=st.booleans())
    def begin(self, timeout_s, shuffled):
        self.queue = Queue("q", Attributes(visibility_timeout=timeout_s), 0.0)
        self.pick = (lambda count: count - 1) if shuffled else None
        self.now, self.sent = 0.0, 0
        self.hidden_until: dict[str, float] = {}
        self.handles: list[tuple[str, str]] = []

    @rule(delay_s=st.sampled_from([0, 0, 0, 5, 50]), priority=st.sampled_from([1, 8, 16]))
    def send(self, delay_s, priority):
        message = self.queue.send(f"m{self.sent}", self.now, priority, delay_s)
        self.sent += 1
        self.hidden_until[message.id] = self.now + delay_s

    @rule(limit=st.integers(1, 16))
    def receive(self, limit):
        visible = {one for one, until in self.hidden_until.items() if until <= self.now}
        taken = self.queue.receive(limit, self.now, self.pick)
        ids = [message.id for message in taken]
        assert len(set(ids)) == len(ids)
        assert set(ids) <= visible
        assert len(ids) == min(limit, len(visible))
        for message in taken:
            self.hidden_until[message.id] = message.visible_at
            self.handles.append((message.id, message.handle))

    @rule(index=SMALL)
    def delete(self, index):
        if not self.handles:
            return
        message_id, handle = self.handles[index % len(self.handles)]
        newest = dict(self.handles)[message_id] == handle
        held = newest and self.now < self.hidden_until.get(message_id, 0)
        with suppress(MnsError):
            self.queue.delete(handle, self.now)
            assert held
            del self.hidden_until[message_id]
            return
        assert not held

    @rule(index=SMALL, timeout_s=st.sampled_from([1, 20, 100]))
    def hold(self, index, timeout_s):
        if not self.handles:
            return
        message_id, handle = self.handles[index % len(self.handles)]
        with suppress(MnsError):
            message = self.queue.change_visibility(handle, timeout_s, self.now)
            self.hidden_until[message_id] = self.now + timeout_s
            self.handles.append((message_id, message.handle))

    @rule(seconds=st.sampled_from([0.5, 1, 15, 61]))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def nothing_is_lost(self):
        assert sum(self.queue.counts(self.now)) == len(self.hidden_until)
        visible = sum(until <= self.now for until in self.hidden_until.values())
        assert self.queue.counts(self.now)[0] == visible


TheCloud.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
OneQueue.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestTheCloud, TestOneQueue = TheCloud.TestCase, OneQueue.TestCase


@given(st.floats(0, 4e9))
def test_dates_are_those_of_the_calendar(at):
    moment = datetime.fromtimestamp(int(at), UTC)
    assert (iso_minutes(at), iso_seconds(at)) == (f"{moment:%Y-%m-%dT%H:%MZ}", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
