# SPDX-License-Identifier: Apache-2.0
"""Stores with as many live reference tokens as one likes, written by SQL."""
import sqlite3
import time

from rig import Twoleg, copy_of

PLACE_BITS, BUCKET_S = 39, 1024  # src/store/sqlite/token_place.h
LIFE_S = 3600

# Ascending, so that it is written as fast as the disk takes it; evenly over the bucket.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :rows - 1)
INSERT INTO reference_tokens (place, hash, account, application, generation, credential, epoch, api,
    scope, issued_s, expires_s)
SELECT (:bucket << {bits}) | (n.i * ((1 << {bits}) / :rows)), randomblob(32), 1, :application, 5, 6,
    7, 8, 'groups sms', :now, :bucket * {seconds} - 1 FROM n
""".format(bits=PLACE_BITS, seconds=BUCKET_S)


def reference_store(data, name, rows):
    """A copy in which the applications with sealed tokens have references, and these many rows in
    the buckets that a token of now or of the next half hour comes into."""
    copy = copy_of(data, name)
    Twoleg(copy).stop()  # a store that was kept may be of an earlier schema
    store = sqlite3.connect(copy / "twoleg.db", isolation_level=None)
    store.execute("PRAGMA synchronous = OFF")
    store.execute("UPDATE applications SET format = 2 WHERE format = 1")
    application = store.execute("SELECT number FROM applications").fetchone()[0]
    now = int(time.time())
    first, last = ((now + ahead) // BUCKET_S + 1 for ahead in (LIFE_S, LIFE_S + 1800))
    buckets = range(first, last + 1)
    store.execute("BEGIN")
    for bucket in buckets:
        store.execute(FILL, {"rows": rows // len(buckets), "bucket": bucket, "now": now,
                             "application": application})
    store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return copy
