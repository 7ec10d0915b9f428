"""Clients of other makers and languages, unmodified: Apache Libcloud, and Alibaba's pop-core for Node where npm is."""

import json
import shutil
import subprocess

import pytest

from spottui.sim.testing import SimServer
from tests.sim.balancing import servers
from tests.sim.conftest import REGION, security_group

NODE = """
const ready = JSON.parse(process.argv[2]);
const Core = require('@alicloud/pop-core');
const client = (version) => new Core({
  accessKeyId: ready.access_key_id, accessKeySecret: ready.access_key_secret, endpoint: ready.url, apiVersion: version,
});
(async () => {
  const ecs = client('2014-05-26');
  const page = await ecs.request('DescribeInstances', {RegionId: 'cn-hangzhou', PageSize: 2}, {method: 'POST'});
  const id = page.Instances.Instance[0].InstanceId;
  const one = await ecs.request('DescribeInstances', {RegionId: 'cn-hangzhou', InstanceIds: JSON.stringify([id])});
  const image = await ecs.request('CreateImage', {RegionId: 'cn-hangzhou', InstanceId: id, ClientToken: 'node'});
  let code = '';
  try { await ecs.request('DescribeInstances', {RegionId: 'nowhere'}); } catch (refusal) { code = refusal.code; }
  const role = await client('2015-04-01').request(
    'AssumeRole', {RoleArn: 'acs:ram::1690700000000030:role/ops', RoleSessionName: 'node'});
  const rules = await client('2019-01-01').request('DescribeEventRuleList', {});
  const on = {RegionId: 'cn-hangzhou', ServerId: id};
  const clb = (await client('2014-05-15').request('DescribeLoadBalancers', on)).LoadBalancers.LoadBalancer[0];
  const alb = client('2020-06-16');
  const member = (await alb.request('ListServerGroupServers', {ServerIds: [id]})).Servers[0];
  const change = {ServerGroupId: member.ServerGroupId, Servers: [
    {ServerId: id, ServerType: 'Ecs', Port: member.Port, Weight: 0}]};
  await alb.request('UpdateServerGroupServersAttribute', change, {method: 'POST'});
  const pvtz = client('2018-01-01');
  const zone = (await pvtz.request('DescribeZones', {})).Zones.Zone[0];
  const record = (await pvtz.request('DescribeZoneRecords', {ZoneId: zone.ZoneId})).Records.Record[0];
  await pvtz.request('UpdateZoneRecord', {RecordId: record.RecordId, Rr: record.Rr, Type: 'A', Value: '172.16.0.99'});
  console.log(JSON.stringify({
    clb: clb.LoadBalancerName,
    rows: page.Instances.Instance.length, ids: one.Instances.Instance.map((row) => row.InstanceId),
    image: image.ImageId, code, role: role.AssumedRoleUser.Arn, rules: rules.EventRules.EventRule.length,
  }));
})();
"""


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory):
    """A directory with pop-core in it, from the npm registry."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm is not here")
    directory = tmp_path_factory.mktemp("node")
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(directory), "@alicloud/pop-core"]
    if subprocess.run(install, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("npm cannot install here")
    return directory


def test_pop_core_of_node(cloud, node_modules):
    for product in ("clb", "alb"):
        front = {"name": product, "product": product, "port": 80, "backend_port": 8080, "servers": ["web-1"]}
        made = cloud.control("POST", "balancer", front)
    cloud.control("POST", "dns", {"name": "corp", "records": [{"rr": "web", "instance": "web-1"}]})
    script = node_modules / "judge.js"
    script.write_text(NODE)
    ready = json.dumps(cloud.endpoint.as_json())
    done = subprocess.run(["node", str(script), ready], capture_output=True, text=True, timeout=30, check=True)
    said = json.loads(done.stdout)
    assert (said["rows"], said["code"], said["rules"]) == (2, "InvalidRegionId.NotFound", 1)
    assert said["image"] == cloud.state()["images"][-1]["ImageId"]
    assert said["ids"] == [cloud.state()["instances"][0]["InstanceId"]]
    assert said["role"].endswith(":role/ops/node")
    cloud.advance(1)
    assert said["clb"] == "clb"
    (weight,) = [row["Weight"] for row in servers(cloud, made["server_group_id"]).values()]
    assert (weight, cloud.state()["dns_zones"][0]["Records"][0]["Value"]) == (0, "172.16.0.99")


def test_apache_libcloud(monkeypatch):
    # It takes no file but a plain one.
    monkeypatch.delenv("SSL_CERT_FILE")
    ecs = pytest.importorskip("libcloud.compute.drivers.ecs")
    with SimServer(speed=10) as cloud:
        host, port = cloud.endpoint.as_json()["endpoint"].split(":")
        at = cloud.endpoint
        driver = ecs.ECSDriver(
            at.access_key_id, at.access_key_secret, region=REGION, secure=False, host=host, port=int(port)
        )
        driver.connection.host = host
        nodes = driver.list_nodes()
        assert len(nodes) == 24
        assert [one.id for one in driver.list_nodes(ex_node_ids=[nodes[0].id])] == [nodes[0].id]
        assert {zone.id for zone in driver.ex_list_zones()} == {f"{REGION}-{letter}" for letter in "hij"}
        size = next(one for one in driver.list_sizes() if one.id == "ecs.g7.large")
        made = driver.create_node(
            name="x", size=size, image=driver.list_images()[0], ex_security_group_id=security_group(cloud),
            ex_vswitch_id=nodes[0].extra["vpc_attributes"]["vswitch_id"], ex_system_disk={"category": "cloud_essd"},
        )  # fmt: skip
        assert made.id in {row["InstanceId"] for row in cloud.state()["instances"]}
        assert driver.reboot_node(nodes[1])
        volume = driver.create_volume(20, "v", ex_zone_id=f"{REGION}-h")
        snapshot = driver.create_volume_snapshot(driver.list_volumes()[0], name="s")
        assert snapshot.id == cloud.state()["snapshots"][0]["SnapshotId"]
        assert driver.destroy_volume(volume)
        assert cloud.control("GET", "coverage")["unsupported"] == {}
