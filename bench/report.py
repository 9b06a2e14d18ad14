# SPDX-License-Identifier: Apache-2.0
"""The goals, and the tables that bench/run prints."""
import datetime
import os
import platform
import statistics
import subprocess

from latency import JUST_BEFORE
from memory import REVOCATIONS
from rig import APPLICATIONS, ROOT
from rows import LOGGED, MILLIONS, REFERENCE, REVOKED


NGINX_THEN = 4.6  # us, on the machine whose unit costs the goals in microseconds were made of


def goals(figures):
    """Row -> (words, what it is compared with, us that are allowed beyond). Over TLS the floor is
    the same request without it."""
    floor, nginx = figures["bare answer"], figures["nginx return 200"]
    rows = {"bare answer": ("1.15 x nginx", 1.15 * nginx, 0)}
    if floor + 2.5 <= 1.8 * nginx:
        rows["sealed issue"] = ("floor + 2.5 (and 1.8 x nginx)", floor, 2.5)
    else:
        rows["sealed issue"] = ("1.8 x nginx (and floor + 2.5)", 1.8 * nginx, 0)
    for name, more in (("ES256 issue", 21), ("sealed introspection", 2.2),
                       ("seen ES256 introspection", 2.0), (REFERENCE, 12), ("check sealed", 1.5),
                       ("forged JWT", 1.5), ("unknown client", 1.5), ("wrong secret", 1.5)):
        rows[name] = (f"floor + {more}", floor, more)
    for name, factor, than, more in (
            (LOGGED, 1, "sealed issue", 0.5),
            (MILLIONS, 1.5, REFERENCE, 0),
            ("sealed issue, TLS kept", 1, "sealed issue", 2),
            ("sealed issue, TLS handshake", 1.15, "nginx, TLS handshake", 0),
            ("sealed issue, TLS resumed", 0.6, "sealed issue, TLS handshake", 0),
            ("sealed issue, TLS 1.2 resumed", 0.6, "sealed issue, TLS 1.2 handshake", 0)):
        if figures.get(than):
            words = f"{than} + {more}" if more else f"{factor} x {than}"
            rows[name] = (words, factor * figures[than], more)
    return rows


def verdict(figure, limit, unit):
    return "met" if figure <= limit else f"missed by {figure - limit:.2f} {unit}"


def verdict_then(figure, base, more, unit, nginx):
    """A goal in time says of a slower machine that it is slower. So if it is missed, what is beyond
    the base is told as well as it would be where nginx takes what it took then."""
    said = verdict(figure, base + more, unit)
    if said == "met" or not more or not nginx:
        return said
    then = (figure - base) * NGINX_THEN / nginx
    return (f"{said}; {'+' if base else ''}{then:.2f} where nginx takes {NGINX_THEN} us: "
            f"{verdict(then, more, unit)}")


def table(rows):
    figures = {row.name: row.figure for row in rows}
    nginx, floor = figures["nginx return 200"], figures["bare answer"]
    wanted = goals(figures) if nginx and floor else {}
    lines = ["| row | goal | CPU us a request | over the floor | x nginx | requests/s | verdict |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row.figure is None or not (nginx and floor):
            lines.append(f"| {row.name} | | | | | | void: {row.void} |")
            continue
        goal = said = ""
        if row.name in wanted:
            words, base, more = wanted[row.name]
            goal = f"{words} = {base + more:.2f}"
            said = verdict_then(row.figure, base, more, "us", nginx)
        said = "; ".join(part for part in (said, row.noted) if part)
        lines.append(f"| {row.name} | {goal} | {row.figure:.2f} | {row.figure - floor:+.2f} "
                     f"| {row.figure / nginx:.2f} | {statistics.median(row.rates):.0f} | {said} |")
    return lines


def small_table(nginx, hot, first, first_many, first_revoked, idle, many):
    lines = ["| what | goal | figure | verdict |", "|---|---|---|---|"]
    ratio = hot[1] / hot[0]
    lines += [
        f"| two workers on one hot application, against one each | 1.1 x | {ratio:.2f} x "
        f"({hot[1]:.2f} against {hot[0]:.2f} us) | {verdict(ratio, 1.1, 'x')} |",
        f"| start to first token | 15 ms | {first[0]:.1f} ms | "
        f"{verdict_then(first[0], 0, 15, 'ms', nginx)} |",
        f"| the same with {2 * APPLICATIONS} applications | | {first_many[0]:.1f} ms | |",
        f"| and a million revocations, at most | 300 ms | {first_revoked[1]:.1f} ms "
        f"(median {first_revoked[0]:.1f}) | "
        f"{verdict_then(first_revoked[1], 0, 300, 'ms', nginx)} |",
        f"| idle, Rss | under 10 MB | {idle[0]:.1f} MB | {verdict(idle[0], 10, 'MB')} |",
        f"| idle, RssAnon | | {idle[1]:.1f} MB | |"]
    for when, memory in zip(("just started", "each one asked for once"), many):
        lines.append(f"| 100 000 applications, {when}: Rss | 60 MB | {memory[0]:.1f} MB "
                     f"(RssAnon {memory[1]:.1f}) | {verdict(memory[0], 60, 'MB')} |")
    return lines


def latency_table(latency):
    lines = ["| 99th percentile at half load, open loop | goal | figure | verdict |",
             "|---|---|---|---|"]
    alone = latency.median("alone")
    half = latency.median("peak") / 2
    lines.append(f"| sealed issue, {half:.0f}/s | | {alone:.0f} us | |")
    for name, words, other in (("writer", "changes of applications", "changes"),
                               ("pool", "RS256 tokens", "signatures"),
                               ("password", "password grants", "passwords")):
        ratio = latency.ratio(name, JUST_BEFORE[name])
        many = latency.beside_a_second(other)
        lines.append(f"| the same beside {many:.{1 if many < 100 else 0}f} {words}/s, as many as "
                     f"there can be | 2 x | {ratio:.2f} x ({latency.median(name):.0f} us) "
                     f"| {verdict(ratio, 2, 'x')} |")
    ratio = latency.ratio("grants", "bare")
    lines.append(f"| password grants by themselves, a hash for each | at least 0.9 x Argon2id | "
                 f"{ratio:.2f} x ({latency.median('grants'):.1f} against "
                 f"{latency.median('bare'):.1f}/s) | {verdict(0.9, ratio, 'x')} |")
    lines.append(f"| password grants of users who come again, remembered | | "
                 f"{latency.median('again'):.0f}/s | |")
    ratio = latency.ratio("revocation", "fdatasync")
    lines.append(f"| revocation, acknowledged | 3 x fdatasync | {ratio:.2f} x "
                 f"({latency.median('revocation'):.0f} against "
                 f"{latency.median('fdatasync'):.0f} us) | {verdict(ratio, 3, 'x')} |")
    ratio = latency.ratio("revocation", "fdatasync beside")
    lines.append(f"| the same against a sync beside the same load | | {ratio:.2f} x "
                 f"({latency.median('fdatasync beside'):.0f} us) | |")
    return lines


def revoked_line(rows, entry_bytes):
    figures = {row.name: row.figure for row in rows}
    million = figures.get(REVOKED)
    without = figures.get("sealed introspection")
    more = f"{million - without:+.2f} us" if million and without else "void"
    return (f"{REVOCATIONS} live revocations: {entry_bytes:.0f} bytes of memory each; "
            f"introspection of another token: {more}.")


def signature_us():
    """What one ES256 signature costs by itself, so that the ES256 row can be judged elsewhere."""
    done = subprocess.run(["taskset", "-c", "0", "openssl", "speed", "-mr", "-seconds", "2",
                           "ecdsap256"], capture_output=True, text=True, check=True)
    row = next(line for line in done.stdout.splitlines() if "F4:" in line)
    return 1e6 / float(row.split(":")[3])


def machine():
    cpu = next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
               if line.startswith("model name"))
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=10"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return (f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}, "
            f"{datetime.date.today().isoformat()}, commit {commit}.")


def write_results(lines):
    path = ROOT / "bench/RESULTS.md"
    old = path.read_text() if path.exists() else ""
    notes = old[old.index("\n## ") :] if "\n## " in old else ""
    path.write_text("# Results\n\nWritten by `bench/run --write`; what follows the tables is by "
                    "hand.\n\n" + "\n".join(lines) + "\n" + notes)
