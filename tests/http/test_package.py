# SPDX-License-Identifier: Apache-2.0
"""The Debian package: installed, run, upgraded, removed and purged in a copy of this system that
nobody else sees (a mount namespace with an overlay over /)."""
import os
import pathlib
import shutil
import subprocess

import pytest

from instance import BINARY, HAS_HOOKS, ROOT

BUILD = pathlib.Path(BINARY).parent
VERSIONS = ("0.1.0", "0.1.1")
REFUSED = ("this release refuses the configuration, so the server of the release before goes on"
           " until it ends, and nothing would start after it; mend it, and then: systemctl restart"
           " twoleg")

pytestmark = pytest.mark.skipif(HAS_HOOKS, reason="the package is made of the release build")

# $1: an empty folder, $2 and $3: the packages; $1/root is the copy of the system.
COPY = r"""
set -eu
mount -t tmpfs none "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root" || exit 77
cp "$2" "$1/root/first.deb"
cp "$3" "$1/root/second.deb"
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs none "$1/root/run"   # no systemd runs here
rm -f "$1/root/var/lib/man-db/auto-update" # each dpkg would read all manuals
"""

# Each line that begins with "==" is a finding.
LIFE = COPY + r"""
chroot "$1/root" /bin/sh -eu -c '
export DEBIAN_FRONTEND=noninteractive
start() # the server as the unit starts it
{
    mkdir -p /run/credentials
    install -o twoleg -m 0400 /etc/twoleg/master.key /run/credentials/twoleg-master-key
    rm -f /run/ready # of the one before, which the new one empties a moment later
    CREDENTIALS_DIRECTORY=/run/credentials twoleg serve --config /etc/twoleg/twoleg.yaml \
        --user twoleg --listen 127.0.0.1:0 >/run/ready 2>/run/log &
    server=$!
    while ! grep -qs ready /run/ready; do
        kill -0 $server || { cat /run/log; exit 1; }
    done
    url=$(sed -n "s/^ready //p" /run/ready)
}
stop()
{
    kill -TERM $server
    wait $server
}
dpkg -i /first.deb
key=$(stat -c "%U %a %s" /etc/twoleg/master.key)
echo "== folder $(stat -c "%U:%G %a" /var/lib/twoleg) key $key"
echo "== manual $(ls /usr/share/man/man1/twoleg.1.gz /usr/share/man/man5/twoleg.yaml.5.gz | wc -l)"
start
echo "== user $(ps -o user= -p $server)"
TWOLEG_DATA=/var/lib/twoleg twoleg app create --name kept --client-id kept --secret-file /run/secret
token()
{
    curl -s -u "kept:$(cat /run/secret)" -d grant_type=client_credentials "$url/oauth/token" |
        grep -c access_token || true
}
echo "== first $(twoleg version | head -n 1) tokens $(token)"
stop
echo "# mine" >>/etc/twoleg/twoleg.yaml
sum=$(sha256sum /etc/twoleg/*)
dpkg -i /second.deb
[ "$sum" = "$(sha256sum /etc/twoleg/*)" ] && echo "== kept"
start
echo "== second tokens $(token) $(dpkg-query -W -f "\${Version}" twoleg)"
stop
dpkg -r twoleg
[ ! -e /usr/bin/twoleg ] && [ -e /var/lib/twoleg/twoleg.db ] && echo "== removed, data kept"
dpkg -P twoleg
getent passwd twoleg || echo "== no user"
'
cd "$1/up"
find . -name '*twoleg*' | sed 's/^/== left /'
"""

# A key that lay beside the store before the package came, and what else may lie there.
BESIDE = COPY + r"""
chroot "$1/root" /bin/sh -eu -c '
export DEBIAN_FRONTEND=noninteractive
useradd --system --user-group --no-create-home --home-dir /var/lib/twoleg twoleg
install -d -o twoleg -g twoleg -m 0700 /var/lib/twoleg
head -c 32 /dev/urandom >/etc/of-root
chmod 600 /etc/of-root
key=/var/lib/twoleg/master.key
refused() # WHAT
{
    dpkg -i /first.deb >/dev/null 2>/run/words && echo "== $1 taken"
    [ -e /etc/twoleg/master.key ] && echo "== a key was made of $1"
    ls /etc/twoleg | grep -v twoleg.yaml && echo "== left of $1"
    rm -f $key
    echo "== $1 refused"
}
ln -s /etc/of-root $key
refused "link to a file of root"
head -c 32 /dev/urandom >/run/of-twoleg
chown twoleg /run/of-twoleg
ln -s /run/of-twoleg $key
refused "link"
echo short >$key
chown twoleg $key
refused "short file"
install -o twoleg -g twoleg -m 0600 /run/of-twoleg $key
dpkg -i /first.deb >/run/words
cmp /etc/twoleg/master.key /run/of-twoleg
echo "== key $(stat -c "%U %a %s" /etc/twoleg/master.key)"
[ ! -e $key ] && grep -q "moved the master key" /run/words && echo "== moved"
install -o twoleg -g twoleg -m 0600 /run/of-twoleg $key
rm /etc/twoleg/master.key
echo "master_key_file: $key" >>/etc/twoleg/twoleg.yaml
dpkg -i /second.deb >/run/words
cmp /etc/twoleg/master.key $key && grep -q "may go" /run/words && echo "== kept where it is named"
'
"""

# What systemd is told by the scripts, which are called as by dpkg, since dpkg itself takes seconds
# for each. The stand-in keeps which units are enabled and which run, as files; with `refuse` there
# the server does not start.
SYSTEMD = COPY + r"""
chroot "$1/root" /bin/sh -eu -c '
export DEBIAN_FRONTEND=noninteractive PATH=/run/bin:$PATH
mkdir -p /run/systemd/system /run/bin /run/enabled /run/active
cat >/run/bin/systemctl <<"END"
#!/bin/sh
verb=
for word; do
    case "$verb $word" in
    *" --"*) ;;
    " "*) verb=$word ;;
    "enable "* | "start "* | "try-restart "*)
        [ $verb != try-restart ] || [ -e /run/active/$word ] || continue
        rm -f /run/active/$word
        [ $verb != enable ] || touch /run/enabled/$word
        [ ! -e /run/refuse ] || exit 1
        touch /run/active/$word
        echo $word >>/run/started ;;
    "stop "*) rm -f /run/active/$word ;;
    "is-active "*) exec test -e /run/active/$word ;;
    "is-enabled "*) exec test -e /run/enabled/$word ;;
    "show "*) # both properties that are asked for
        echo /lib/systemd/system/$word
        echo $(find /etc/systemd/system -path "*/$word.d/*") ;;
    *) echo "== not known here: systemctl $*" >&2 ;;
    esac
done
END
cat >/run/bin/logger <<"END"
#!/bin/sh
cat >/run/journal
END
chmod +x /run/bin/*
dpkg-deb -x /first.deb /
dpkg-deb -e /first.deb /run/scripts
"""

UNITS = SYSTEMD + r"""
ran() # SCRIPT ARGUMENTS, as dpkg calls it: what became of it
{
    script=$1
    shift
    status=0
    /run/scripts/$script "$@" 2>/run/words || status=$?
    touch /run/started
    echo "== $script $*: enabled" $(ls /run/enabled), runs $(ls /run/active), \
        started $(cat /run/started), exit $status
    sed "s/^twoleg: /== /; s/^[^=].*token_tll.*/== refused/" /run/words
    rm /run/started
}
ran postinst configure ""
ran prerm remove
ran postinst configure 0.1.0
touch /run/refuse
ran postinst configure 0.1.0
rm /run/refuse
ran prerm remove
ran postinst configure 0.1.1
cp /etc/twoleg/twoleg.yaml /run/good.yaml
echo "token_tll: 1h" >>/etc/twoleg/twoleg.yaml
ran postinst configure 0.1.1
cp /run/good.yaml /etc/twoleg/twoleg.yaml
ran postinst configure 0.1.1
rm /run/enabled/* /run/active/*
touch /run/enabled/twoleg.socket /run/active/twoleg.socket /run/active/twoleg.service
ran prerm remove
ran postinst configure 0.1.1
rm /run/active/*
ran postinst configure 0.1.1
link=/etc/systemd/system/multi-user.target.wants/twoleg.service
mkdir -p ${link%/*}
ln -s /lib/systemd/system/twoleg.service $link
ran postrm purge
[ -L $link ] || echo "== no link"
' 2>&1
"""

# An upgrade while the service runs, again and again: does the new release run then? Only a refusal
# of the configuration by the new program, as the service would start it, leaves the one of before.
UPGRADES = SYSTEMD + r"""
upgraded() # WHAT
{
    touch /run/active/twoleg.service
    rm -f /run/started
    : >/run/journal
    /run/scripts/postinst configure 0.1.0 2>/run/words
    echo "== $1: $([ -e /run/started ] && echo restarted || echo kept)"
}
/run/scripts/postinst configure ""
yaml=/etc/twoleg/twoleg.yaml
cp $yaml /run/good.yaml
upgraded good

echo "token_tll: 1h" >>$yaml
upgraded refused
grep -q "^$yaml:.*token_tll" /run/words
sed "s/^MESSAGE=[^t].*token_tll.*/MESSAGE=.../; s/^/== /" /run/journal
drop_ins=/etc/systemd/system/twoleg.service.d
mkdir -p $drop_ins
echo "# another --config, for one" >$drop_ins/mine.conf
upgraded "refused, but with a drop-in it may be another file"
rm -r $drop_ins

folder=/run/credentials/twoleg.service
mkdir -p $folder
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a -days 2 \
    -addext subjectAltName=DNS:a.example -keyout $folder/tls.key -out /run/tls.pem 2>/dev/null
chgrp twoleg $folder/tls.key # as the access list of systemd shows
chmod 440 $folder/tls.key
tls() # KEY
{
    cp /run/good.yaml $yaml
    printf "listen:\n  - address: 127.0.0.1:0\n    tls:\n" >>$yaml
    printf "      - {certificate: /run/tls.pem, key: %s}\n" $1 >>$yaml
}
tls $folder/tls.key
upgraded "TLS key that is a credential"
install -o twoleg -m 600 $folder/tls.key /etc/twoleg/tls.key
tls /etc/twoleg/tls.key
groupadd certificates
usermod -a -G certificates twoleg
chgrp certificates /run/tls.pem
chmod 640 /run/tls.pem
upgraded "certificate for a group"
cp /run/good.yaml $yaml
sed -i /^data/d $yaml
TWOLEG_DATA=$(head -c 2000 /dev/zero | tr "\0" x) upgraded "environment of the caller"

echo "token_tll: 1h" >>$yaml # would be refused, if it were asked
for status in 2 126 127 137 139; do
    printf "#!/bin/sh\nexit $status\n" >/usr/bin/twoleg
    upgraded "status $status"
done
printf "#!/bin/sh\nexec sleep 600\n" >/usr/bin/twoleg
printf "#!/bin/sh\nshift\nexec /usr/bin/timeout 1 \"\$@\"\n" >/run/bin/timeout
chmod +x /run/bin/timeout
upgraded "check that hangs"
' 2>&1
"""

# ./packages, where all is there but nginx, with a stand-in of the network.
NEEDED = COPY + r"""
cp "$4" "$1/root/packages"
chroot "$1/root" /bin/sh -eu -c '
export PATH=/run/bin:$PATH
rm -f /usr/sbin/nginx
mkdir -p /run/bin /run/nginx/DEBIAN /run/nginx/usr/sbin /run/tree
cd /run/tree
mv /packages .
cat >/run/bin/dpkg-query <<"END"
#!/bin/sh
grep -oE "[a-z0-9+.-]+" packages | grep -vxf /run/lacks | sed "s/$/ installed/"
END
cat >/run/bin/apt-get <<"END"
#!/bin/sh
echo "apt-get $*" >>/run/asked
[ -e /run/network ] && { [ $1 != download ] || dpkg-deb -b /run/nginx nginx_1.deb; }
END
printf "#!/bin/sh\n" >/run/nginx/usr/sbin/nginx
printf "Package: nginx\nVersion: 1\nArchitecture: all\nMaintainer: me\nDescription: none\n" \
    >/run/nginx/DEBIAN/control
chmod +x /run/bin/* /run/nginx/usr/sbin/nginx
: >/run/lacks
needed() # WHEN
{
    status=0
    rm -f /run/asked
    ./packages build test >/run/said 2>&1 || status=$?
    touch /run/asked
    echo "== $1: exit $status," $(cat /run/asked | cut -d " " -f 1,2), \
        $(find build/nginx/usr/sbin -type f)
}
typed() # what was printed, by hand
{
    sed -n "s/^packages: \(.*apt-get.*\)/\1/p" /run/said | head -n 1 >/run/typed
    bash -eu /run/typed
}
mkdir -p build/nginx/usr/sbin
needed "no network"
grep -q "test is skipped" /run/said
touch /run/network
typed
needed typed
rm -r build
mkdir -p build/nginx/usr/sbin
printf "\177ELF" >build/nginx/usr/sbin/nginx
chmod +x build/nginx/usr/sbin/nginx
needed "cut short"
build/nginx/usr/sbin/nginx
rm /run/network
echo strace >/run/lacks
needed "another one lacks"
mv /run/asked /run/asked.first
typed || true
head -n 1 /run/asked.first | cmp - /run/asked && echo "== $(cat /run/asked)"
' 2>&1
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    for program in ("cpack", "dpkg-shlibdeps"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed: apt-get install cmake dpkg-dev")
    made = []
    for version in VERSIONS:
        out = tmp_path_factory.mktemp("package")
        subprocess.run(["cpack", "-G", "DEB", "-B", out, "-D", f"CPACK_PACKAGE_VERSION={version}",
                        "-D", f"CPACK_DEBIAN_PACKAGE_VERSION={version}", "--config",
                        BUILD / "CPackConfig.cmake"], check=True, capture_output=True, timeout=120)
        made += out.glob("*.deb")
    assert len(made) == len(VERSIONS)
    return made


def test_package_holds_what_it_should(packages):
    listing = subprocess.run(["dpkg-deb", "-c", packages[0]], capture_output=True, text=True,
                             check=True).stdout
    for path in ("usr/bin/twoleg", "usr/share/man/man1/twoleg.1.gz",
                 "usr/share/man/man5/twoleg.yaml.5.gz", "lib/systemd/system/twoleg.service",
                 "share/bash-completion/completions/twoleg", "share/doc/twoleg/copyright",
                 "share/doc/twoleg/dialects.md", "share/doc/twoleg/import.md"):
        assert path in listing, path
    assert all(line.split()[1] == "root/root" for line in listing.splitlines())


def findings(script, packages, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a copy of the system")
    probe = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no mount namespace may be made here")
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                           tmp_path, *packages], capture_output=True, text=True, timeout=600,
                          check=False)
    if done.returncode == 77:
        pytest.skip("no overlay can be mounted here")
    assert done.returncode == 0, done.stdout + done.stderr
    return [line[3:] for line in done.stdout.splitlines() if line.startswith("== ")]


def test_package_installs_runs_upgrades_and_leaves_nothing(packages, tmp_path):
    assert findings(LIFE, packages, tmp_path) == [
        "folder twoleg:twoleg 700 key root 600 32",
        "manual 2",
        "user twoleg",
        "first twoleg 0.1.0 tokens 1",
        "kept",
        "second tokens 1 0.1.1",
        "removed, data kept",
        "no user",
    ]


def test_D3_a_key_beside_the_store_is_taken_with_the_rights_of_its_user(packages, tmp_path):
    assert findings(BESIDE, packages, tmp_path) == [
        "link to a file of root refused",
        "link refused",
        "short file refused",
        "key root 600 32",
        "moved",
        "kept where it is named",
    ]


def test_package_starts_again_what_ran_before_it_was_removed(packages, tmp_path):
    """And a start that is refused leaves an installed package, and words; one that would be refused
    leaves the server of before."""
    service = "enabled twoleg.service, runs twoleg.service, started twoleg.service, exit 0"
    assert findings(UNITS, packages, tmp_path) == [
        f"postinst configure : {service}",
        "prerm remove: enabled twoleg.service, runs , started , exit 0",
        f"postinst configure 0.1.0: {service}",
        "postinst configure 0.1.0: enabled twoleg.service, runs , started , exit 0",
        "not started; see journalctl -u twoleg",
        "prerm remove: enabled twoleg.service, runs , started , exit 0",
        f"postinst configure 0.1.1: {service}",
        "postinst configure 0.1.1: enabled twoleg.service, runs twoleg.service, started , exit 0",
        "refused",
        REFUSED,
        f"postinst configure 0.1.1: {service}",
        "prerm remove: enabled twoleg.socket, runs , started , exit 0",
        "postinst configure 0.1.1: enabled twoleg.socket, runs twoleg.service twoleg.socket,"
        " started twoleg.socket twoleg.service, exit 0",
        "postinst configure 0.1.1: enabled twoleg.socket, runs , started , exit 0",
        "postrm purge: enabled twoleg.socket, runs , started , exit 0",
        "no link",
    ]


def test_package_keeps_the_server_of_before_only_where_the_new_one_refuses(packages, tmp_path):
    assert findings(UPGRADES, packages, tmp_path) == [
        "good: restarted",
        "refused: kept",
        "MESSAGE=...",
        f"MESSAGE=twoleg: {REFUSED}",
        "PRIORITY=3",
        "SYSLOG_IDENTIFIER=twoleg",
        "OBJECT_SYSTEMD_UNIT=twoleg.service",
        "refused, but with a drop-in it may be another file: restarted",
        "TLS key that is a credential: restarted",
        "certificate for a group: restarted",
        "environment of the caller: restarted",
        *(f"status {status}: restarted" for status in (2, 126, 127, 137, 139)),
        "check that hangs: restarted",
    ]


def test_packages_skips_nothing_but_nginx_and_prints_what_can_be_typed(packages, tmp_path):
    unpacked = "build/nginx/usr/sbin/nginx"
    assert findings(NEEDED, [*packages, ROOT / "packages"], tmp_path) == [
        "no network: exit 0, apt-get download,",
        f"typed: exit 0, , {unpacked}",
        f"cut short: exit 0, apt-get download, {unpacked}",
        f"another one lacks: exit 1, apt-get install apt-get update, {unpacked}",
        "apt-get install -y --no-install-recommends --no-upgrade strace",
    ]
