BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('86d6ffaa-452b-4c07-bc77-3c5c8b083bc4','flow-1',1795635410000,1795635410000,'spottui');
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	recovery_id TEXT NOT NULL, 
	action TEXT NOT NULL, 
	phase TEXT NOT NULL, 
	client_token TEXT DEFAULT '' NOT NULL, 
	request_id TEXT DEFAULT '' NOT NULL, 
	detail TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "audit" VALUES(1,1795635410.75537,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','ModifyDiskAttribute','result','','D49D0AC1-E5B8-4638-B136-0A4092B850AD','d-bp121hio2hr092rgvm30');
INSERT INTO "audit" VALUES(2,1.79563543083938097948e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','CreateImage','intent','7975a019f3e5ce7d7e65ac7a6b7eba57b7fe414f7121f901','','');
INSERT INTO "audit" VALUES(3,1.79563543084662699698e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','CreateImage','result','7975a019f3e5ce7d7e65ac7a6b7eba57b7fe414f7121f901','E7397785-CEE1-4619-9248-A2A4A834D580','m-bp1icy26fzxf58h8or93');
INSERT INTO "audit" VALUES(4,1.7956354359079780579e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','RunInstances','intent','6c3f3f092d1e9a69d773455a36c7a990ce2d15b40105e704','','');
INSERT INTO "audit" VALUES(5,1.79563543591391897198e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','RunInstances','result','6c3f3f092d1e9a69d773455a36c7a990ce2d15b40105e704','D595BF23-4C60-4ED1-A07E-39D14138CAD2','i-bp1smhlzatpalwsc928d');
INSERT INTO "audit" VALUES(6,1.7956354379455139637e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','UnassociateEipAddress','result','','03623AE4-1DD1-4616-8CCF-BBBF2922071D','eip-bp1m9cdqmr9va6mx4enz');
INSERT INTO "audit" VALUES(7,1.79563543895773100851e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','AssociateEipAddress','result','','68FC60BF-2398-4554-BB51-F400E7B6C558','eip-bp1m9cdqmr9va6mx4enz');
INSERT INTO "audit" VALUES(8,1795635442.7833,'cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','ModifyDiskAttribute','result','','F707C19E-534F-4C56-99F8-40584CA632B1','d-bp1e6mqv6p7stsapga2g d-bp1r0ulst2duij1su16p');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE event (
	seq INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	kind TEXT NOT NULL, 
	region TEXT NOT NULL, 
	instance_id TEXT NOT NULL, 
	text TEXT NOT NULL, 
	recovery_id TEXT DEFAULT '' NOT NULL, 
	request_id TEXT DEFAULT '' NOT NULL, 
	body TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "event" VALUES(1,1.79563541035699105264e+09,'AUTO','','','auto-mode armed by --auto','','','');
INSERT INTO "event" VALUES(2,1.79563541071880793578e+09,'RECLAIM','cn-hangzhou','i-bp1na5wfjmne49qrddmj','evidence Q, deadline 19:41:50, message 47D202AD670C317A-2-1A21435F716-200000001','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(3,1.79563541071880793578e+09,'DUPLICATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','seen again (1 more), deadline 19:41:50, message 47D202AD670C317A-2-1A21435F716-200000002','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(4,1795635410.75537,'CALL','cn-hangzhou','i-bp1na5wfjmne49qrddmj','ModifyDiskAttribute d-bp121hio2hr092rgvm30','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','D49D0AC1-E5B8-4638-B136-0A4092B850AD','');
INSERT INTO "event" VALUES(5,1795635410.76604,'LOCK','cn-hangzhou','i-bp1na5wfjmne49qrddmj','evidence QL, deadline 19:41:50','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(6,1.79563541080107808107e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','suspected → veto window: auto-mode goes on unless you veto','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(7,1.79563543081195688255e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','confirm by auto-mode','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(8,1.79563543083938097948e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','veto window → imaging','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(9,1.79563543084662699698e+09,'CALL','cn-hangzhou','i-bp1na5wfjmne49qrddmj','CreateImage m-bp1icy26fzxf58h8or93','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','E7397785-CEE1-4619-9248-A2A4A834D580','');
INSERT INTO "event" VALUES(10,1.7956354359079780579e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','imaging → launching','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(11,1.79563543591391897198e+09,'CALL','cn-hangzhou','i-bp1na5wfjmne49qrddmj','RunInstances i-bp1smhlzatpalwsc928d','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','D595BF23-4C60-4ED1-A07E-39D14138CAD2','');
INSERT INTO "event" VALUES(12,1.79563543592116308215e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','launching → starting','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(13,1.79563543793935704228e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','starting → rebinding','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(14,1.7956354379455139637e+09,'CALL','cn-hangzhou','i-bp1na5wfjmne49qrddmj','UnassociateEipAddress eip-bp1m9cdqmr9va6mx4enz','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','03623AE4-1DD1-4616-8CCF-BBBF2922071D','');
INSERT INTO "event" VALUES(15,1.79563543895773100851e+09,'CALL','cn-hangzhou','i-bp1na5wfjmne49qrddmj','AssociateEipAddress eip-bp1m9cdqmr9va6mx4enz','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','68FC60BF-2398-4554-BB51-F400E7B6C558','');
INSERT INTO "event" VALUES(16,1.79563543997031092643e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','rebinding → verifying','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(17,1.7956354409792690277e+09,'STATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','verifying → recovered: i-bp1smhlzatpalwsc928d runs in cn-hangzhou-h, 30 s after the notice','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(18,1.795635442754076004e+09,'DUPLICATE','cn-hangzhou','i-bp1na5wfjmne49qrddmj','seen again (2 more), deadline 19:41:50','cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','','');
INSERT INTO "event" VALUES(19,1795635442.76932,'RECLAIM','cn-hangzhou','i-bp1h6pwd8zq0df9avqxw','evidence Q, deadline 19:42:22, message 47D202AD670C317A-2-1A21436744D-200000005','cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','','');
INSERT INTO "event" VALUES(20,1795635442.7833,'CALL','cn-hangzhou','i-bp1h6pwd8zq0df9avqxw','ModifyDiskAttribute d-bp1e6mqv6p7stsapga2g d-bp1r0ulst2duij1su16p','cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','F707C19E-534F-4C56-99F8-40584CA632B1','');
INSERT INTO "event" VALUES(21,1.79563544279981589322e+09,'LOCK','cn-hangzhou','i-bp1h6pwd8zq0df9avqxw','evidence QL, deadline 19:42:22','cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','','');
INSERT INTO "event" VALUES(22,1.79563544283359098436e+09,'STATE','cn-hangzhou','i-bp1h6pwd8zq0df9avqxw','suspected → needs you: plan ready: press y','cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','','');
CREATE TABLE fleet (
	region TEXT NOT NULL, 
	instance_id TEXT NOT NULL, 
	spec TEXT NOT NULL, 
	details_at FLOAT, 
	seen_at FLOAT NOT NULL, 
	PRIMARY KEY (region, instance_id)
);
INSERT INTO "fleet" VALUES('cn-hangzhou','i-bp1na5wfjmne49qrddmj','{"instance":{"region":"cn-hangzhou","instance_id":"i-bp1na5wfjmne49qrddmj","name":"web-1","instance_type":"ecs.g7.xlarge","zone":"cn-hangzhou-h","status":"Running","spot_strategy":"SpotAsPriceGo","recycling":true,"behavior":"Terminate","private_ip":"172.16.0.10","public_ip":"","eip_id":"","tags":[["app","web"],["env","prod"]],"created":"2026-11-17T20:58:00Z"},"vswitch_id":"vsw-bp1q48rxczx93knyaqge","security_group_ids":["sg-bp16252oodwcchfmbafd"],"disks":[{"disk_id":"d-bp121hio2hr092rgvm30","device":"/dev/xvda","kind":"system","category":"cloud_essd","size_gib":60,"performance_level":"PL0","delete_with_instance":false}],"key_pair":"ops","ram_role":"","host_name":"web-1","description":"","resource_group_id":"","spot_price_limit":0.0,"spot_duration":1,"internet_bandwidth_out":0,"internet_charge_type":"PayByTraffic","deletion_protection":false,"credit_specification":"","deployment_set_id":"","http_tokens":"optional","http_endpoint":"enabled","user_data":{"value":"IyEvYmluL3NoCmVjaG8gd2ViLTEK"}}',1.79563541094933795932e+09,1.79563544136825895304e+09);
INSERT INTO "fleet" VALUES('cn-hangzhou','i-bp1smhlzatpalwsc928d','{"instance":{"region":"cn-hangzhou","instance_id":"i-bp1smhlzatpalwsc928d","name":"web-1","instance_type":"ecs.g7.xlarge","zone":"cn-hangzhou-h","status":"Running","spot_strategy":"SpotAsPriceGo","recycling":false,"behavior":"Terminate","private_ip":"172.16.0.11","public_ip":"","eip_id":"eip-bp1m9cdqmr9va6mx4enz","tags":[["app","web"],["env","prod"],["spottui","cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410"]],"created":"2026-11-25T19:37:00Z"},"vswitch_id":"vsw-bp1q48rxczx93knyaqge","security_group_ids":["sg-bp16252oodwcchfmbafd"],"disks":[{"disk_id":"d-bp1jvijea9p6wbz78jg7","device":"/dev/xvda","kind":"system","category":"cloud_essd","size_gib":60,"performance_level":"PL0","delete_with_instance":true}],"key_pair":"ops","ram_role":"","host_name":"web-1","description":"","resource_group_id":"","spot_price_limit":0.0,"spot_duration":1,"internet_bandwidth_out":0,"internet_charge_type":"PayByTraffic","deletion_protection":false,"credit_specification":"","deployment_set_id":"","http_tokens":"optional","http_endpoint":"enabled","user_data":{"value":"IyEvYmluL3NoCmVjaG8gd2ViLTEK"}}',1.79563544137305402753e+09,1.79563544137305593486e+09);
INSERT INTO "fleet" VALUES('cn-hangzhou','i-bp1h6pwd8zq0df9avqxw','{"instance":{"region":"cn-hangzhou","instance_id":"i-bp1h6pwd8zq0df9avqxw","name":"api-2","instance_type":"ecs.g7.large","zone":"cn-hangzhou-i","status":"Running","spot_strategy":"SpotAsPriceGo","recycling":true,"behavior":"Terminate","private_ip":"172.16.64.10","public_ip":"","eip_id":"","tags":[["app","api"],["env","prod"]],"created":"2026-11-12T17:26:00Z"},"vswitch_id":"vsw-bp1c1eio5cqt535kom58","security_group_ids":["sg-bp16252oodwcchfmbafd"],"disks":[{"disk_id":"d-bp1e6mqv6p7stsapga2g","device":"/dev/xvda","kind":"system","category":"cloud_essd","size_gib":60,"performance_level":"PL0","delete_with_instance":false},{"disk_id":"d-bp1r0ulst2duij1su16p","device":"/dev/xvdb","kind":"data","category":"cloud_essd","size_gib":20,"performance_level":"PL0","delete_with_instance":false}],"key_pair":"ops","ram_role":"","host_name":"api-2","description":"","resource_group_id":"","spot_price_limit":0.0,"spot_duration":1,"internet_bandwidth_out":0,"internet_charge_type":"PayByTraffic","deletion_protection":false,"credit_specification":"","deployment_set_id":"","http_tokens":"optional","http_endpoint":"enabled","user_data":null}',1.79563541105784702303e+09,1.79563544301404690744e+09);
CREATE TABLE image_timing (
	image_id TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	gib INTEGER NOT NULL, 
	seconds FLOAT NOT NULL, 
	PRIMARY KEY (image_id)
);
INSERT INTO "image_timing" VALUES('m-bp1icy26fzxf58h8or93',1.79563543588492608065e+09,60,5.037611);
CREATE TABLE interruption (
	id TEXT NOT NULL, 
	region TEXT NOT NULL, 
	instance_id TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "interruption" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','cn-hangzhou','i-bp1na5wfjmne49qrddmj',1795635410,'{"region":"cn-hangzhou","instance_id":"i-bp1na5wfjmne49qrddmj","epoch":1795635410,"first_seen":"2026-11-25T19:36:50.718808Z","deadline":"2026-11-25T19:41:50.710000Z","evidence":["Q","L"],"action":"delete","duplicates":2,"latest":"2026-11-25T19:41:50.766022Z","unlocked_at":null}');
INSERT INTO "interruption" VALUES('cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','cn-hangzhou','i-bp1h6pwd8zq0df9avqxw',1795635442,'{"region":"cn-hangzhou","instance_id":"i-bp1h6pwd8zq0df9avqxw","epoch":1795635442,"first_seen":"2026-11-25T19:37:22.769320Z","deadline":"2026-11-25T19:42:22.765000Z","evidence":["Q","L"],"action":"delete","duplicates":0,"latest":"2026-11-25T19:42:22.799794Z","unlocked_at":null}');
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',1,'protect','"protected"',NULL,NULL,1795635410752,1795635410769,'portable_json','spottui',1795635410000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',2,'wait_for_permission','null',NULL,NULL,1795635410774,1795635430829,'portable_json','spottui',1795635430000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',3,'create_image','"m-bp1icy26fzxf58h8or93"',NULL,NULL,1795635430833,1795635430854,'portable_json','spottui',1795635430000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',4,'wait_for_image','null',NULL,NULL,1795635430856,1795635435894,'portable_json','spottui',1795635435000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',5,'count_candidates','3',NULL,NULL,1795635435898,1795635435899,'portable_json','spottui',1795635435000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',6,'launch','"i-bp1smhlzatpalwsc928d"',NULL,NULL,1795635435906,1795635435915,'portable_json','spottui',1795635435000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',7,'wait_until_running','null',NULL,NULL,1795635435920,1795635437934,'portable_json','spottui',1795635437000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',8,'rebind','""',NULL,NULL,1795635437937,1795635439966,'portable_json','spottui',1795635439000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',9,'verify','{"state":"recovered","reason":"i-bp1smhlzatpalwsc928d runs in cn-hangzhou-h, 30 s after the notice"}',NULL,NULL,1795635439969,1795635440976,'portable_json','spottui',1795635440000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410',10,'end','"recovered"',NULL,NULL,1795635440978,1795635440982,'portable_json','spottui',1795635440000);
INSERT INTO "operation_outputs" VALUES('cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442',1,'protect','"protected"',NULL,NULL,1795635442787,1795635442809,'portable_json','spottui',1795635442000);
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	recovery_id TEXT NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_try FLOAT NOT NULL, 
	sent_at FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "outbox" VALUES(1,1.7956354409792690277e+09,'cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','web-1: recovered','i-bp1na5wfjmne49qrddmj in cn-hangzhou: i-bp1smhlzatpalwsc928d runs in cn-hangzhou-h, 30 s after the notice',0,1.7956354409792690277e+09,NULL);
INSERT INTO "outbox" VALUES(2,1.79563544283817195894e+09,'cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','api-2 is being reclaimed and needs you','i-bp1h6pwd8zq0df9avqxw in cn-hangzhou, deadline 19:42:22 UTC. plan ready: press y',0,1.79563544283817195894e+09,NULL);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('E9CD63F5AADA8EEF94B4CB278A52B18C','resume',NULL,NULL,NULL,NULL,1,0,0.25,1795635410000,1795635442594,'spottui',NULL,NULL,NULL,NULL);
CREATE TABLE recovery (
	id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	data TEXT NOT NULL, 
	"plan" TEXT, 
	decision TEXT DEFAULT '' NOT NULL, 
	decided_at FLOAT, 
	who TEXT DEFAULT '' NOT NULL, 
	cancel BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES interruption (id)
);
INSERT INTO "recovery" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','recovered','{"recovery_id":"cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410","region":"cn-hangzhou","instance_id":"i-bp1na5wfjmne49qrddmj","name":"web-1","state":"recovered","deadline":"2026-11-25T19:41:50.710000Z","started":"2026-11-25T19:36:50.718808Z","reason":"i-bp1smhlzatpalwsc928d runs in cn-hangzhou-h, 30 s after the notice","route":"image","verdict":"WILL MAKE IT","forecast_at":"2026-11-25T19:37:15.892861Z","progress":100,"veto_until":null,"decision":"confirm","who":"auto-mode","cancel":false,"image_id":"m-bp1icy26fzxf58h8or93","imaging_since":"2026-11-25T19:37:10.847291Z","new_instance_id":"i-bp1smhlzatpalwsc928d","next_step":"","ended":"2026-11-25T19:37:20.979269Z","created":[{"kind":"kept disk","resource_id":"d-bp121hio2hr092rgvm30"},{"kind":"image","resource_id":"m-bp1icy26fzxf58h8or93"},{"kind":"instance","resource_id":"i-bp1smhlzatpalwsc928d"}]}','{"route":"image","spec":{"instance":{"region":"cn-hangzhou","instance_id":"i-bp1na5wfjmne49qrddmj","name":"web-1","instance_type":"ecs.g7.xlarge","zone":"cn-hangzhou-h","status":"Running","spot_strategy":"SpotAsPriceGo","recycling":true,"behavior":"Terminate","private_ip":"172.16.0.10","public_ip":"","eip_id":"eip-bp1m9cdqmr9va6mx4enz","tags":[["app","web"],["env","prod"]],"created":"2026-11-17T20:58:00Z"},"vswitch_id":"vsw-bp1q48rxczx93knyaqge","security_group_ids":["sg-bp16252oodwcchfmbafd"],"disks":[{"disk_id":"d-bp121hio2hr092rgvm30","device":"/dev/xvda","kind":"system","category":"cloud_essd","size_gib":60,"performance_level":"PL0","delete_with_instance":false}],"key_pair":"ops","ram_role":"","host_name":"web-1","description":"","resource_group_id":"","spot_price_limit":0.0,"spot_duration":1,"internet_bandwidth_out":0,"internet_charge_type":"PayByTraffic","deletion_protection":false,"credit_specification":"","deployment_set_id":"","http_tokens":"optional","http_endpoint":"enabled","user_data":{"value":"IyEvYmluL3NoCmVjaG8gd2ViLTEK"}},"candidates":[{"instance_type":"ecs.g7.xlarge","zone":"cn-hangzhou-h","vswitch_id":"vsw-bp1q48rxczx93knyaqge","reason":"same type, zone and vSwitch"},{"instance_type":"ecs.g7.xlarge","zone":"cn-hangzhou-i","vswitch_id":"vsw-bp1c1eio5cqt535kom58","reason":"same type, other zone"},{"instance_type":"ecs.g7.xlarge","zone":"cn-hangzhou-j","vswitch_id":"vsw-bp1fgiirvjapnu8yswyb","reason":"same type, other zone"}],"image_name":"spottui-cn-hangzhou-i-bp1na5wfjmne49qrddmj-1795635410","warnings":["new private IP: 172.16.0.10 stays taken until the release"]}','confirm',1.79563543081195688255e+09,'auto-mode',0);
INSERT INTO "recovery" VALUES('cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','needs you','{"recovery_id":"cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442","region":"cn-hangzhou","instance_id":"i-bp1h6pwd8zq0df9avqxw","name":"api-2","state":"needs you","deadline":"2026-11-25T19:42:22.765000Z","started":"2026-11-25T19:37:22.769320Z","reason":"plan ready: press y","route":"image","verdict":"WILL MAKE IT","forecast_at":"2026-11-25T19:37:28.702405Z","progress":0,"veto_until":null,"decision":"","who":"","cancel":false,"image_id":"","imaging_since":null,"new_instance_id":"","next_step":"image, then ecs.g7.large in cn-hangzhou-i, then cn-hangzhou-h","ended":null,"created":[{"kind":"kept disk","resource_id":"d-bp1e6mqv6p7stsapga2g"},{"kind":"kept disk","resource_id":"d-bp1r0ulst2duij1su16p"}]}','{"route":"image","spec":{"instance":{"region":"cn-hangzhou","instance_id":"i-bp1h6pwd8zq0df9avqxw","name":"api-2","instance_type":"ecs.g7.large","zone":"cn-hangzhou-i","status":"Running","spot_strategy":"SpotAsPriceGo","recycling":false,"behavior":"Terminate","private_ip":"172.16.64.10","public_ip":"","eip_id":"","tags":[["app","api"],["env","prod"]],"created":"2026-11-12T17:26:00Z"},"vswitch_id":"vsw-bp1c1eio5cqt535kom58","security_group_ids":["sg-bp16252oodwcchfmbafd"],"disks":[{"disk_id":"d-bp1e6mqv6p7stsapga2g","device":"/dev/xvda","kind":"system","category":"cloud_essd","size_gib":60,"performance_level":"PL0","delete_with_instance":true},{"disk_id":"d-bp1r0ulst2duij1su16p","device":"/dev/xvdb","kind":"data","category":"cloud_essd","size_gib":20,"performance_level":"PL0","delete_with_instance":true}],"key_pair":"ops","ram_role":"","host_name":"api-2","description":"","resource_group_id":"","spot_price_limit":0.0,"spot_duration":1,"internet_bandwidth_out":0,"internet_charge_type":"PayByTraffic","deletion_protection":false,"credit_specification":"","deployment_set_id":"","http_tokens":"optional","http_endpoint":"enabled","user_data":null},"candidates":[{"instance_type":"ecs.g7.large","zone":"cn-hangzhou-i","vswitch_id":"vsw-bp1c1eio5cqt535kom58","reason":"same type, zone and vSwitch"},{"instance_type":"ecs.g7.large","zone":"cn-hangzhou-h","vswitch_id":"vsw-bp1q48rxczx93knyaqge","reason":"same type, other zone"},{"instance_type":"ecs.g7.large","zone":"cn-hangzhou-j","vswitch_id":"vsw-bp1fgiirvjapnu8yswyb","reason":"same type, other zone"}],"image_name":"spottui-cn-hangzhou-i-bp1h6pwd8zq0df9avqxw-1795635442","warnings":["new private IP: 172.16.64.10 stays taken until the release"]}','',NULL,'',0);
CREATE TABLE spottui_meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "spottui_meta" VALUES('schema','1');
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','{"namedArgs":{},"positionalArgs":["cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410"]}',1795635410000);
INSERT INTO "workflow_input" VALUES('cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','{"namedArgs":{},"positionalArgs":["cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442"]}',1795635442000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','"recovered"',NULL,1795635440000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('cn-hangzhou.i-bp1na5wfjmne49qrddmj.1795635410','SUCCESS','recovery',NULL,NULL,NULL,NULL,NULL,NULL,'vm-6056-e0ef13c9',1795635410000,1795635440000,'flow-1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795635440000,'null',NULL,NULL,0,'spottui','8463089d-2855-49a3-9ee9-c6f233d924f4');
INSERT INTO "workflow_status" VALUES('cn-hangzhou.i-bp1h6pwd8zq0df9avqxw.1795635442','PENDING','recovery',NULL,NULL,NULL,NULL,NULL,NULL,'vm-6250-9856cb59',1795635442000,1795635442000,'flow-1','',NULL,NULL,1,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,'03be9a74-a0a2-4b08-9be4-47601943f2ef',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'spottui','03be9a74-a0a2-4b08-9be4-47601943f2ef');
CREATE INDEX interruption_of_instance ON interruption (region, instance_id, epoch);
CREATE INDEX audit_of_recovery ON audit (recovery_id);
CREATE INDEX recovery_by_state ON recovery (state);
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;