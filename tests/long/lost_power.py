# SPDX-License-Identifier: Apache-2.0
"""A disk that loses power, played from what tests/long/disk.c wrote down. What was synced is there;
of everything since, each write, cut and name may have reached the disk or not, in any order, and a
write also in part. A name is durable once its folder was synced, as POSIX promises and no more."""
import pathlib

SECTOR = 512


def records(log):
    """(offset behind the record, op, name, rest, bytes)"""
    at = 0
    while at < len(log):
        end = log.index(b"\n", at)
        op, name, rest = log[at:end].decode().split(" ", 2)
        at, data = end + 1, b""
        if op == "W":
            size = int(rest.split()[1])
            data = log[at:at + size]
            at += size
        yield at, op, name, rest, data


class File:
    def __init__(self):
        self.durable = bytearray()
        self.pending = []  # (offset, bytes), or (size, None) for a cut

    def sync(self):
        for change in self.pending:
            apply(self.durable, change)
        self.pending = []


def apply(content, change):
    at, data = change
    if data is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(data)] = data


def torn(change, rng):
    """Part of a write, in whole sectors."""
    at, data = change
    sectors = len(data or b"") // SECTOR
    if sectors < 2 or rng.random() < 0.7:
        return change
    first = rng.randrange(sectors)
    last = rng.randrange(first, sectors) + 1
    return at + first * SECTOR, data[first * SECTOR:last * SECTOR]


def survived(changes, rng):
    """Which of the changes since the last sync reached the disk, in which order."""
    how = rng.randrange(4)
    if how == 0:
        return []
    if how == 1:
        return list(changes)
    kept = [torn(change, rng) for change in changes if rng.random() < 0.5]
    if how == 3:
        rng.shuffle(kept)
    return kept


class Disk:
    def __init__(self):
        self.files = {}  # name: File, as a running program sees them
        self.durable = {}  # name: File, what a power cut leaves for sure
        self.names = []  # changes of names since the folder was synced

    def rename(self, names, op, name, to):
        if op == "C":
            names[name] = to
        elif op == "U":
            names.pop(name, None)
        elif name in names:
            names[to] = names[name] if op == "L" else names.pop(name)

    def play(self, op, name, rest, data):
        if op == "S" and name == ".":
            for change in self.names:
                self.rename(self.durable, *change)
            self.names = []
        elif op in "CRLU":
            to = File() if op == "C" else rest.strip()
            self.rename(self.files, op, name, to)
            self.names.append((op, name, to))
        elif name in self.files and op == "S":
            self.files[name].sync()
        elif name in self.files:
            numbers = [int(number) for number in rest.split()]
            self.files[name].pending.append((numbers[0], data if op == "W" else None))

    def cut(self, folder, rng):
        """What the next start finds."""
        folder = pathlib.Path(folder)
        folder.mkdir(mode=0o700)
        names = dict(self.durable)
        kept = rng.randrange(len(self.names) + 1)
        for change in self.names[:kept]:
            self.rename(names, *change)
        for name, file in names.items():
            content = bytearray(file.durable)
            for change in survived(file.pending, rng):
                apply(content, change)
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
