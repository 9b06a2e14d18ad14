-- SPDX-License-Identifier: Apache-2.0
-- A store of schema 1 as the release that had no other left it, by its own hand and then dumped;
-- the rows of the tables that it did not fill yet were put in afterwards. core.json has the master
-- key, the secrets and the tokens that it gave out. Never to be made anew by a later release.
PRAGMA application_id = 1953983591;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (
    version INTEGER PRIMARY KEY,
    applied_us INTEGER NOT NULL
) STRICT;
INSERT INTO schema_version VALUES(1,1732049645000000);
CREATE TABLE accounts (
    number INTEGER PRIMARY KEY CHECK (number NOT IN (0, -1)), -- -1 means the operator in queries
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
INSERT INTO accounts VALUES(1,'default',0,1,1732049645000000,1732049645000000);
CREATE TABLE applications (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    client_id TEXT NOT NULL CHECK (length(client_id) BETWEEN 1 AND 1024),
    name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) <= 128),
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    generation INTEGER NOT NULL,
    format INTEGER NOT NULL CHECK (format BETWEEN 0 AND 15),
    ttl_us INTEGER NOT NULL CHECK (ttl_us > 0),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    deleted_us INTEGER
) STRICT;
INSERT INTO applications VALUES(-5835397216758894352,1,'sealed','sealed',0,1732049646325381,1,9223372036854775807,3,1732049646325381,1732049646567653,NULL);
INSERT INTO applications VALUES(-934028118795430433,1,'caller','caller',0,1732049646315288,0,3600000000,1,1732049646315288,1732049646315288,NULL);
INSERT INTO applications VALUES(205608971513267902,1,'disabled','disabled',1,1732049646458706,0,3600000000,2,1732049646458706,1732049646465307,NULL);
INSERT INTO applications VALUES(1125724291089480505,1,'jwt','jwt',0,1732049646334431,0,3600000000,1,1732049646334431,1732049646334431,NULL);
INSERT INTO applications VALUES(3005277080353858541,1,'generation','generation',0,1732049646583918,1,9223372036854775807,2,1732049646576532,1732049646583918,NULL);
INSERT INTO applications VALUES(7106879579469104285,1,'deleted','deleted',2,1732049646478351,0,3600000000,2,1732049646478351,1732049646497168,1732049646497168);
INSERT INTO applications VALUES(8538408947439385575,1,'brought','brought',0,1732049646446807,0,3600000000,1,1732049646446807,1732049646446807,NULL);
CREATE TABLE secrets (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    label TEXT NOT NULL DEFAULT '' CHECK (length(CAST(label AS BLOB)) <= 128),
    scheme INTEGER NOT NULL CHECK (scheme BETWEEN 0 AND 15),
    key INTEGER NOT NULL DEFAULT 0,         -- of the data key, for scheme 0
    mac BLOB CHECK (length(mac) = 32),      -- scheme 0; NULL once removed
    slow_hash TEXT,                         -- other schemes; NULL once removed
    created_us INTEGER NOT NULL,
    not_before_us INTEGER NOT NULL DEFAULT 0,
    expires_us INTEGER NOT NULL,
    removed_us INTEGER,
    used_us INTEGER NOT NULL DEFAULT 0,
    used_count INTEGER NOT NULL DEFAULT 0,
    used_address TEXT NOT NULL DEFAULT '' CHECK (length(used_address) <= 64),
    CHECK (removed_us IS NOT NULL OR (scheme = 0 AND mac IS NOT NULL AND slow_hash IS NULL) OR
           (scheme <> 0 AND mac IS NULL AND slow_hash IS NOT NULL))
) STRICT;
INSERT INTO secrets VALUES(-5968867291055311504,1,1125724291089480505,'',0,1,X'1d2b7d8197bc62473d53bde4e1a20f6cd743fe8b720fba4395f9e8b30fc65de4',NULL,1732049646334431,0,9223372036854775807,NULL,1732049646586350,1,'127.0.0.1');
INSERT INTO secrets VALUES(-5567193347429850185,1,205608971513267902,'',0,1,X'18b5fdbeb84460e65075e6688a4a246f3741a19243c6b216d14e088eb5e5e0fd',NULL,1732049646458706,0,9223372036854775807,NULL,0,0,'');
INSERT INTO secrets VALUES(-2656087481651442667,1,3005277080353858541,'',0,1,X'1ebf95b39313341e369f9a2634b32e9a9b39b6db71dd779a65bf1fdb30d3c176',NULL,1732049646576532,0,9223372036854775807,NULL,1732049646578893,1,'127.0.0.1');
INSERT INTO secrets VALUES(1113833721765088673,1,-934028118795430433,'',0,1,X'657edf4331fcb8cdada4e9252c46d06fabf4d847c3060b8997a597f07e9c0797',NULL,1732049646315288,0,9223372036854775807,NULL,0,0,'');
INSERT INTO secrets VALUES(1416727960709260684,1,-5835397216758894352,'',0,1,X'282f5986d63a5879c09843e7fb636d9d5df2b4c6e9465897a3d39afe6fec2448',NULL,1732049646325381,0,9223372036854775807,NULL,1732049646521538,2,'127.0.0.1');
INSERT INTO secrets VALUES(4145410331490781269,1,8538408947439385575,'',1,0,NULL,'$argon2id$v=19$m=19456,t=2,p=1$wspJpPZonOhrn48MiRknQQ$PyMXytauGoGV0FwR7GZCmVQYfOVsLFaDNaDDUN00nh4',1732049646446807,0,9223372036854775807,NULL,1732049646684930,1,'127.0.0.1');
INSERT INTO secrets VALUES(8431459340526550399,1,-5835397216758894352,'second',0,1,NULL,NULL,1732049646533012,0,9223372036854775807,1732049646567653,1732049646541169,1,'127.0.0.1');
INSERT INTO secrets VALUES(8584791405860229472,1,7106879579469104285,'',0,1,NULL,NULL,1732049646478351,0,9223372036854775807,1732049646497168,0,0,'');
CREATE TABLE apis (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    identifier TEXT NOT NULL UNIQUE CHECK (length(identifier) BETWEEN 1 AND 512),
    name TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) <= 128),
    algorithm TEXT NOT NULL CHECK (length(algorithm) <= 16),
    max_ttl_us INTEGER NOT NULL DEFAULT 9223372036854775807 CHECK (max_ttl_us > 0),
    is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
INSERT INTO apis VALUES(-7264824109984606323,1,'https://auth.example','Default API','ES256',9223372036854775807,1,3,1732049645614013,1732049646513953);
INSERT INTO apis VALUES(4085889081433661457,1,'https://sms.example','SMS','ES256',9223372036854775807,0,1,1732049646302678,1732049646302678);
CREATE TABLE scopes (
    api INTEGER NOT NULL REFERENCES apis (number),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    account INTEGER NOT NULL REFERENCES accounts (number),
    description TEXT NOT NULL DEFAULT '' CHECK (length(CAST(description AS BLOB)) <= 512),
    created_us INTEGER NOT NULL,
    PRIMARY KEY (api, name)
) STRICT, WITHOUT ROWID;
INSERT INTO scopes VALUES(4085889081433661457,'read',1,'',1732049646302678);
INSERT INTO scopes VALUES(4085889081433661457,'send',1,'',1732049646302678);
CREATE TABLE application_apis (
    application INTEGER NOT NULL REFERENCES applications (number),
    api INTEGER NOT NULL REFERENCES apis (number),
    account INTEGER NOT NULL REFERENCES accounts (number),
    requests INTEGER NOT NULL CHECK (requests IN (0, 1)),
    serves INTEGER NOT NULL CHECK (serves IN (0, 1)),
    PRIMARY KEY (application, api),
    CHECK (requests = 1 OR serves = 1)
) STRICT, WITHOUT ROWID;
INSERT INTO application_apis VALUES(-5835397216758894352,4085889081433661457,1,1,0);
INSERT INTO application_apis VALUES(-934028118795430433,4085889081433661457,1,1,1);
INSERT INTO application_apis VALUES(205608971513267902,-7264824109984606323,1,1,0);
INSERT INTO application_apis VALUES(1125724291089480505,4085889081433661457,1,1,0);
INSERT INTO application_apis VALUES(3005277080353858541,-7264824109984606323,1,1,0);
INSERT INTO application_apis VALUES(8538408947439385575,-7264824109984606323,1,1,0);
CREATE TABLE application_scopes (
    application INTEGER NOT NULL,
    api INTEGER NOT NULL,
    scope TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts (number),
    PRIMARY KEY (application, api, scope),
    FOREIGN KEY (application, api) REFERENCES application_apis (application, api),
    FOREIGN KEY (api, scope) REFERENCES scopes (api, name)
) STRICT, WITHOUT ROWID;
INSERT INTO application_scopes VALUES(-5835397216758894352,4085889081433661457,'send',1);
INSERT INTO application_scopes VALUES(1125724291089480505,4085889081433661457,'read',1);
CREATE TABLE allowlists (
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('account', 'application', 'api_key')),
    owner INTEGER NOT NULL,
    network TEXT NOT NULL CHECK (length(network) <= 64), -- CIDR; '' = the owner has a list
    account INTEGER NOT NULL REFERENCES accounts (number),
    note TEXT NOT NULL DEFAULT '' CHECK (length(CAST(note AS BLOB)) <= 256),
    created_us INTEGER NOT NULL,
    PRIMARY KEY (owner_kind, owner, network)
) STRICT, WITHOUT ROWID;
INSERT INTO allowlists VALUES('application',1125724291089480505,'192.0.2.0/24',1,'an office',1);
CREATE TABLE api_keys (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    api INTEGER NOT NULL REFERENCES apis (number),
    label TEXT NOT NULL DEFAULT '',
    key INTEGER NOT NULL,
    mac BLOB CHECK (length(mac) = 32),
    status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)),
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    not_before_us INTEGER NOT NULL DEFAULT 0,
    expires_us INTEGER NOT NULL,
    removed_us INTEGER,
    used_us INTEGER NOT NULL DEFAULT 0,
    used_count INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO api_keys VALUES(77,1,4085889081433661457,'a key',1,X'0000000000000000000000000000000000000000000000000000000000000000',0,1,1,1,0,9223372036854775807,NULL,0,0);
CREATE TABLE keys (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    purpose TEXT NOT NULL CHECK (length(purpose) BETWEEN 1 AND 32),
    algorithm TEXT NOT NULL DEFAULT '' CHECK (length(algorithm) <= 16),
    kid TEXT NOT NULL DEFAULT '' CHECK (length(kid) <= 128),
    state TEXT NOT NULL CHECK (state IN ('active', 'announced', 'signing', 'retired', 'gone')),
    wrapped BLOB NOT NULL,                 -- sealed under the master key; empty once gone
    public_jwk TEXT NOT NULL DEFAULT '',
    created_us INTEGER NOT NULL,
    state_us INTEGER NOT NULL,
    last_expiry_us INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
) STRICT;
INSERT INTO keys VALUES(1,'secret','','','active',X'31d6143d26bfc8622604a53a51e54bd2277c58b11925bde3ef6999b7f64c7fbb5a50252213911135011569e8c14e1982ee78ef2163a5b6d7dfd70336cf80f6c47cae99c42f7c60e9','',1732049645614013,1732049645614013,0,1);
INSERT INTO keys VALUES(2,'seal','','','active',X'6ab721238cdee8f87e404f547b584447c23b6ea4cf7fccb427ccc82e93a584a632f27955922482803e37770c06b320be105357ac154987f2f13e946a388fb72b9f36237d2057c1ba','',1732049645614013,1732049645614013,0,1);
INSERT INTO keys VALUES(3,'jti','','','active',X'17ef3dc6ccc525d1e3955dc5afd4dbedc888bf0df78c0a595a5b551c5204a87cb593f3f85ee6e40cf6c26d8f005775267201aea5107375f0241d5855011c3ce5e5250ace13e80e35','',1732049645614013,1732049645614013,0,1);
INSERT INTO keys VALUES(4,'sign','ES256','0V6yzb4jeBUnGLW_x_AzlVcgaDH_KlS_9i6uFM7X-G8','signing',X'452b65341f94afa6dac2a3d65391d6b14f0daa2cb837929a8dd7556d1cacb3ed6cae0426029a07eeb359ebcd6d67e8c11b5a2abd74a2a4b170c99c1c935093e4e151cba66966a514b4f64e2f20b085efafe9b33237067bd4abdffe53bb3b69e7302216e7970f0ca5ab11a6be81346d71c9980a272f10ba25793da942ef7ac14a38d0b3b00cffec3f35d28bb670e7cd58fe490f73890c8438b3e849df890548bdf25233dec98db7ba81c6c211e807be753867','{"crv":"P-256","kty":"EC","x":"2opyc09QCMcxLW8r3w8L4XrjwUCEz37M8spvRpv-9cw","y":"zlZNqnsrY5FAb8jEv0T9vGksft27S1OPncbPLiIhMtk","use":"sig","alg":"ES256","kid":"0V6yzb4jeBUnGLW_x_AzlVcgaDH_KlS_9i6uFM7X-G8"}',1732049645614013,1732049645614013,0,1);
INSERT INTO keys VALUES(5,'sign','ES256','f9mrW9IEUOBJsaOYmdTl5iNObiL3jKp_3VjpKuSYmJ4','announced',X'6005097349eac3a604dfc224c95732b82dabd54e066c1249584ced6836447cb5bfcdafb9d8b68c470693277e98d3c7e02169967204077bf6ed7659a1fbf106eecafdf182f65b58facd58d334a8dfb4c441c51799cc8ed3bd2fce9aa3e967ac96025fb733ab4b5ba42a5263ded55c80d78a6647911822fd4d08ec79c950cd001da5d9028faae93740aeeef171f815738ece3bdf5f06e4954e4a72af6a7f4eb4f70316000d791cfd9c7c6bae7e6eb6ca6a4b11','{"crv":"P-256","kty":"EC","x":"trKwb7tEb2TZozeCH6IBpsIwxYzFgtzscO-awsTmzpw","y":"0FpPJStcWBBuR5UiTK7Bfu6V4CJNPybQ6onfDBatXUI","use":"sig","alg":"ES256","kid":"f9mrW9IEUOBJsaOYmdTl5iNObiL3jKp_3VjpKuSYmJ4"}',1732049646704581,1732049646704581,0,1);
CREATE TABLE revoked_tokens (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    expires_s INTEGER NOT NULL CHECK (expires_s >= 0), -- 0 = never: kept for ever
    revoked_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO revoked_tokens VALUES(X'e95c4aa0bc7581440cd891543566444b',1,-5835397216758894352,0,1732049646522251);
CREATE TABLE revoked_credentials (
    secret INTEGER PRIMARY KEY REFERENCES secrets (number),
    account INTEGER NOT NULL REFERENCES accounts (number),
    application INTEGER NOT NULL REFERENCES applications (number),
    revoked_us INTEGER NOT NULL
) STRICT;
INSERT INTO revoked_credentials VALUES(8431459340526550399,1,-5835397216758894352,1732049646567653);
CREATE TABLE settings (
    name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    value TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    updated_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('epoch','1',1,1732049645614013);
INSERT INTO settings VALUES('issuer','https://auth.example',1,1732049645614013);
INSERT INTO settings VALUES('keyring','1',1,1732049645614013);
INSERT INTO settings VALUES('rotation','300000000 0 86400000000 0',1,1732049645614013);
CREATE TABLE change_feed (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    account INTEGER NOT NULL DEFAULT 0,    -- 0: the server's
    number INTEGER NOT NULL DEFAULT 0,
    key BLOB                               -- a token id, the name of a setting
) STRICT;
INSERT INTO change_feed VALUES(1,1732049645614013,6,0,0,X'6b657972696e67');
INSERT INTO change_feed VALUES(2,1732049645614013,2,0,1,NULL);
INSERT INTO change_feed VALUES(3,1732049645614013,2,0,2,NULL);
INSERT INTO change_feed VALUES(4,1732049645614013,2,0,3,NULL);
INSERT INTO change_feed VALUES(5,1732049645614013,2,0,4,NULL);
INSERT INTO change_feed VALUES(6,1732049645614013,6,0,0,X'726f746174696f6e');
INSERT INTO change_feed VALUES(7,1732049645614013,6,0,0,X'697373756572');
INSERT INTO change_feed VALUES(8,1732049645614013,6,0,0,X'65706f6368');
INSERT INTO change_feed VALUES(9,1732049645614013,1,1,-7264824109984606323,NULL);
INSERT INTO change_feed VALUES(10,1732049646302678,1,1,4085889081433661457,NULL);
INSERT INTO change_feed VALUES(11,1732049646315288,0,1,-934028118795430433,NULL);
INSERT INTO change_feed VALUES(12,1732049646325381,0,1,-5835397216758894352,NULL);
INSERT INTO change_feed VALUES(13,1732049646334431,0,1,1125724291089480505,NULL);
INSERT INTO change_feed VALUES(14,1732049646446807,0,1,8538408947439385575,NULL);
INSERT INTO change_feed VALUES(15,1732049646458706,0,1,205608971513267902,NULL);
INSERT INTO change_feed VALUES(16,1732049646465307,0,1,205608971513267902,NULL);
INSERT INTO change_feed VALUES(17,1732049646478351,0,1,7106879579469104285,NULL);
INSERT INTO change_feed VALUES(18,1732049646497168,0,1,7106879579469104285,NULL);
INSERT INTO change_feed VALUES(19,1732049646507824,1,1,-7264824109984606323,NULL);
INSERT INTO change_feed VALUES(20,1732049646513953,1,1,-7264824109984606323,NULL);
INSERT INTO change_feed VALUES(21,1732049646522251,3,1,-5835397216758894352,X'e95c4aa0bc7581440cd891543566444b');
INSERT INTO change_feed VALUES(22,1732049646533012,0,1,-5835397216758894352,NULL);
INSERT INTO change_feed VALUES(23,1732049646567653,0,1,-5835397216758894352,NULL);
INSERT INTO change_feed VALUES(24,1732049646567653,4,1,8431459340526550399,NULL);
INSERT INTO change_feed VALUES(25,1732049646576532,0,1,3005277080353858541,NULL);
INSERT INTO change_feed VALUES(26,1732049646583918,0,1,3005277080353858541,NULL);
INSERT INTO change_feed VALUES(27,1732049646704581,2,0,5,NULL);
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    account INTEGER NOT NULL DEFAULT 0,    -- 0: the operator's
    actor TEXT NOT NULL,
    action TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    object TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO audit VALUES(1,1732049645614013,0,'server','server.create','https://auth.example','{}','');
INSERT INTO audit VALUES(2,1732049646302678,0,'uid:0','api.create','api_3hczyf2x8080h','{"after":{"identifier":"https://sms.example","name":"SMS","algorithm":"ES256","scope":"read send"}}','193463432de0000000000001');
INSERT INTO audit VALUES(3,1732049646315288,0,'uid:0','application.create','app_f62dabzmfhnez','{"after":{"client_id":"caller","name":"caller","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_3hczyf2x8080h","requests":true,"serves":true,"scope":""}]}}','193463432eb0000000000002');
INSERT INTO audit VALUES(4,1732049646325381,0,'uid:0','application.create','app_ay1414r5wgw7g','{"after":{"client_id":"sealed","name":"sealed","status":"active","token_format":"sealed","token_ttl":null,"apis":[{"api":"api_3hczyf2x8080h","requests":true,"serves":false,"scope":"send"}]}}','193463432f50000000000003');
INSERT INTO audit VALUES(5,1732049646334431,0,'uid:0','application.create','app_0z7v08x2pness','{"after":{"client_id":"jwt","name":"jwt","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_3hczyf2x8080h","requests":true,"serves":false,"scope":"read"}]}}','193463432fe0000000000004');
INSERT INTO audit VALUES(6,1732049646446807,0,'uid:0','application.create','app_7czm5pc1j8ez7','{"after":{"client_id":"brought","name":"brought","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','1934634330c0000000000005');
INSERT INTO audit VALUES(7,1732049646458706,0,'uid:0','application.create','app_05pkr8mptx1ny','{"after":{"client_id":"disabled","name":"disabled","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','1934634337a0000000000006');
INSERT INTO audit VALUES(8,1732049646465307,0,'uid:0','application.disable','app_05pkr8mptx1ny','{"before":{"client_id":"disabled","name":"disabled","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]},"after":{"client_id":"disabled","name":"disabled","status":"disabled","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','193463433810000000000008');
INSERT INTO audit VALUES(9,1732049646478351,0,'uid:0','application.create','app_6585nabdvqh4x','{"after":{"client_id":"deleted","name":"deleted","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','1934634338e0000000000009');
INSERT INTO audit VALUES(10,1732049646497168,0,'uid:0','application.delete','app_6585nabdvqh4x','{"before":{"client_id":"deleted","name":"deleted","status":"active","token_format":"jwt","token_ttl":3600,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','193463433a0000000000000b');
INSERT INTO audit VALUES(11,1732049646507824,0,'uid:0','scope.add','api_9pbh8ysras5wd','{"scope":"gone","api":"https://auth.example"}','193463433ab000000000000c');
INSERT INTO audit VALUES(12,1732049646513953,0,'uid:0','scope.remove','api_9pbh8ysras5wd','{"scope":"gone","api":"https://auth.example"}','193463433b1000000000000d');
INSERT INTO audit VALUES(13,1732049646522251,1,'app_ay1414r5wgw7g','token.revoke','app_ay1414r5wgw7g','{"client_id":"sealed","token_id":"6VxKoLx1gUQM2JFUNWZESw","issued":1732049646}','193463433ba0000000000010');
INSERT INTO audit VALUES(14,1732049646533012,0,'uid:0','secret.add','sec_7a0mfk4s3qzbz','{"client_id":"sealed","after":{"label":"second","created":1732049646,"expires":null}}','193463433c40000000000011');
INSERT INTO audit VALUES(15,1732049646567653,0,'uid:0','secret.remove','sec_7a0mfk4s3qzbz','{"client_id":"sealed","tokens_revoked":true,"before":{"label":"second","created":1732049646,"expires":null}}','193463433e70000000000014');
INSERT INTO audit VALUES(16,1732049646576532,0,'uid:0','application.create','app_2kd73jkx1trzd','{"after":{"client_id":"generation","name":"generation","status":"active","token_format":"sealed","token_ttl":null,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','193463433f00000000000015');
INSERT INTO audit VALUES(17,1732049646583918,0,'uid:0','application.revoke_tokens','app_2kd73jkx1trzd','{"before":{"client_id":"generation","name":"generation","status":"active","token_format":"sealed","token_ttl":null,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]},"after":{"client_id":"generation","name":"generation","status":"active","token_format":"sealed","token_ttl":null,"apis":[{"api":"api_9pbh8ysras5wd","requests":true,"serves":false,"scope":""}]}}','193463433f70000000000018');
INSERT INTO audit VALUES(18,1732049646704581,0,'uid:0','key.announce','f9mrW9IEUOBJsaOYmdTl5iNObiL3jKp_3VjpKuSYmJ4','{"algorithm":"ES256","after":"announced"}','19346343463000000000001b');
CREATE TABLE idempotency (
    account INTEGER NOT NULL REFERENCES accounts (number),
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    status INTEGER NOT NULL,
    response BLOB NOT NULL,                -- sealed: it may hold a new secret
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
INSERT INTO idempotency VALUES(1,'a',X'0000000000000000000000000000000000000000000000000000000000000000',201,X'00',1,2);
CREATE TABLE users (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    username TEXT NOT NULL CHECK (length(CAST(username AS BLOB)) BETWEEN 1 AND 256),
    password_hash TEXT NOT NULL,
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    generation INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
INSERT INTO users VALUES(78,1,'somebody','$argon2id$x',0,1,1,1,1);
CREATE TABLE panel_users (
    number INTEGER PRIMARY KEY CHECK (number <> 0),
    account INTEGER NOT NULL REFERENCES accounts (number),
    login TEXT NOT NULL CHECK (length(CAST(login AS BLOB)) BETWEEN 1 AND 256),
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('operator', 'owner', 'reader')),
    status INTEGER NOT NULL CHECK (status IN (0, 1, 2)),
    generation INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT;
INSERT INTO panel_users VALUES(79,1,'operator','$argon2id$x','operator',0,1,1,1,1);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('change_feed',27);
INSERT INTO sqlite_sequence VALUES('audit',18);
CREATE UNIQUE INDEX applications_client_id ON applications (client_id) WHERE status <> 2;
CREATE INDEX applications_account ON applications (account, client_id) WHERE status <> 2;
CREATE INDEX secrets_application ON secrets (application) WHERE removed_us IS NULL;
CREATE UNIQUE INDEX apis_default ON apis (is_default) WHERE is_default = 1;
CREATE INDEX application_scopes_scope ON application_scopes (api, scope);
CREATE UNIQUE INDEX api_keys_mac ON api_keys (mac) WHERE mac IS NOT NULL;
CREATE UNIQUE INDEX keys_kid ON keys (kid) WHERE kid <> '';
CREATE INDEX revoked_tokens_application ON revoked_tokens (application, expires_s);
CREATE INDEX revoked_tokens_expires ON revoked_tokens (expires_s);
CREATE INDEX revoked_credentials_application ON revoked_credentials (application);
CREATE INDEX change_feed_at ON change_feed (at_us);
CREATE INDEX audit_account ON audit (account, sequence);
CREATE INDEX idempotency_expires ON idempotency (expires_us);
CREATE UNIQUE INDEX users_username ON users (account, username) WHERE status <> 2;
CREATE UNIQUE INDEX panel_users_login ON panel_users (login) WHERE status <> 2;
COMMIT;
