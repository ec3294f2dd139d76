#!/usr/bin/python3
"""deb_test.py FOLDER SERVICE - the package in FOLDER as an operator meets it, in a chroot of
Debian 12: lintian, the unit's guard rails, install, the first call, an upgrade
with that call up, purge; then the same machine booted (systemd-nspawn), where
systemd keeps the house: its keeper killed, all of it killed, reload, upgrade.

The chroot is made once (debootstrap, from HF_MIRROR or the mirror it knows) and kept in
HF_CACHE, ~/.cache/holdfast unless said.  The house in it shares the machine's
loopback; the account and the powers it has are the unit's."""

import glob
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

MIRROR = os.environ.get("HF_MIRROR", "").split()  # none: debootstrap knows one
CACHE = os.environ.get("HF_CACHE", os.path.expanduser("~/.cache/holdfast"))
SKIP = 77
EXPOSURE = "23"  # 2.3, in tenths
# Of the machine, not of the package.
NOT_OURS = ("/proc", "/sys", "/dev", "/run/adduser", "/var/lib/dpkg", "/var/cache", "/var/log",
            "/var/lib/systemd", "/etc/.pwd.lock", "/tmp")
# Rewritten whole; what they say of us is looked at.
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")

BOOTED = ["systemd", "systemd-sysv"]

passed = failed = 0


def check(ok, promise, more=""):
    global passed, failed
    if ok:
        passed += 1
        print("ok:", promise)
    else:
        failed += 1
        print("FAILED:", promise, more)


def skip(why):
    print("skipped:", why)
    sys.exit(SKIP)


# ---- the chroot -------------------------------------------------------------

def run(*words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **more)


def chroot_words(root, *words):
    """Its /proc goes with the command."""
    return ["unshare", "--mount", "sh", "-c",
            'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"',
            root, *words]


def inside(root, *words):
    return run(*chroot_words(root, "env", "DEBIAN_FRONTEND=noninteractive",
                             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words))


def depends_of(deb):
    text = run("dpkg", "-f", deb, "Depends").stdout
    return [re.split(r"[ (|]", d.strip())[0] for d in text.split(",")]


def make_root(tar, deb):
    if shutil.which("debootstrap") is None:
        skip("there is no debootstrap")
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as new:
        done = run("debootstrap", "--variant=minbase",
                   "--include=" + ",".join(depends_of(deb) + BOOTED),
                   "bookworm", new, *MIRROR)
        if done.returncode != 0:
            skip("debootstrap: " + done.stdout.strip().split("\n")[-1])
        os.chmod(new, 0o755)  # its /, where the account has to pass
        run("tar", "-C", new, "-cf", tar + ".new", ".")
    os.rename(tar + ".new", tar)


def unpack_root(tar):
    root = tempfile.mkdtemp(prefix="holdfast-deb.")
    os.chmod(root, 0o755)
    if run("tar", "-C", root, "-xpf", tar).returncode != 0:
        skip("the chroot cannot be unpacked")
    # Nothing is started by being installed.
    policy = os.path.join(root, "usr/sbin/policy-rc.d")
    with open(policy, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 101\n")
    os.chmod(policy, 0o755)
    return root


def everything(root):
    found = set()
    for folder, folders, files in os.walk(root):
        here = folder[len(root):]
        folders[:] = [d for d in folders if here + "/" + d not in NOT_OURS]
        found |= {here + "/" + name for name in folders + files
                  if here + "/" + name not in NOT_OURS}
    return found


# ---- a caller ---------------------------------------------------------------

class Caller:
    """One call over UDP, G.711: what he hears is counted, not listened to."""

    def __init__(self, house):
        self.house = house
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.77.0.9", 0))
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.77.0.9", 0))
        self.heard = 0
        self.last = None
        self.gap = 0.0  # the longest, in seconds
        self.far = None
        self.tag = ""
        self.talking = True

    def say(self, method, cseq, body="", more=""):
        me = "%s:%d" % self.sip.getsockname()
        text = (
            f"{method} sip:100@127.77.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {me};branch=z9hG4bK{method}{cseq}\r\n"
            f"From: <sip:+33155501234@{me}>;tag=one\r\n"
            f"To: <sip:100@127.77.0.1>{self.tag}\r\n"
            f"Call-ID: first-call\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:caller@{me}>\r\nMax-Forwards: 70\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n{body}")
        self.sip.sendto(text.encode(), self.house)

    def hear(self, method, seconds):
        """The final answer's code and text, None when there is none."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.sip.settimeout(max(0.01, until - time.monotonic()))
            try:
                text = self.sip.recv(65536).decode()
            except TimeoutError:
                return None, ""
            if text.startswith("SIP/2.0 ") and f" {method}\r\n" in text:
                code = int(text[8:11])
                if code >= 200:
                    return code, text
        return None, ""

    def call(self):
        ip, port = self.rtp.getsockname()
        sdp = (f"v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\n"
               f"t=0 0\r\nm=audio {port} RTP/AVP 0\r\n")
        self.say("INVITE", 1, sdp, "Content-Type: application/sdp\r\n")
        code, text = self.hear("INVITE", 5)
        if code != 200:
            return code
        self.tag = ";tag=" + re.search(r"\r\nTo:.*;tag=([^\s;]+)", text)[1]
        self.far = (re.search(r"\r\nc=IN IP4 (\S+)", text)[1],
                    int(re.search(r"\r\nm=audio (\d+)", text)[1]))
        self.say("ACK", 1)
        threading.Thread(target=self.speak, daemon=True).start()
        threading.Thread(target=self.listen, daemon=True).start()
        return code

    def speak(self):
        n = 0
        while self.talking:
            head = struct.pack("!BBHII", 0x80, 0, n & 0xffff, n * 160, 7)
            self.rtp.sendto(head + b"\x55\xd5" * 80, self.far)
            n += 1
            time.sleep(0.02)

    def listen(self):
        self.rtp.settimeout(1)
        while self.talking:
            try:
                self.rtp.recv(2048)
            except OSError:
                continue
            now = time.monotonic()
            if self.last is not None:
                self.gap = max(self.gap, now - self.last)
            self.last = now
            self.heard += 1

    def hears_on(self, seconds):
        """Once more, after a silence: what was late is not what is new."""
        time.sleep(0.3)
        return self.hears_more(50, seconds)

    def hears_more(self, packets, seconds):
        want = self.heard + packets
        until = time.monotonic() + seconds
        while self.heard < want and time.monotonic() < until:
            time.sleep(0.02)
        return self.heard >= want

    def hang_up(self):
        self.say("BYE", 2)
        code, _ = self.hear("BYE", 3)
        self.talking = False
        return code


# ---- the house --------------------------------------------------------------

CONF = """site: chroot
sip: {{ listen: ["udp:127.77.0.1:{port}"] }}
rtp: {{ address: 127.77.0.1, ports: 20000-20199, workers: 1 }}
keeper: {{ drain_max: 0s }}
trunks: {{ carrier: {{ peers: [127.77.0.0/24] }} }}
agents: {{ anna: {{ queues: [front], secret_file: /etc/holdfast/anna }} }}
queues: {{ front: {{ max_wait: 5m }} }}
ladders: {{ front: [ queue: front, voicemail: front ] }}
voicemail: {{ front: {{ max: 5m }} }}
numbers: {{ "100": front }}
"""


def unit_words(service):
    """setpriv(1) as the unit starts it."""
    text = open(service, encoding="ascii").read()
    user = re.search(r"^User=(\S+)", text, re.M)[1]
    group = re.search(r"^Group=(\S+)", text, re.M)[1]
    caps = re.search(r"^AmbientCapabilities=(.*)", text, re.M)[1].split()
    names = ",".join("+" + c[4:].lower() for c in caps)
    return ["setpriv", "--reuid", user, "--regid", group, "--init-groups",
            "--no-new-privs", "--inh-caps", "-all," + names,
            "--ambient-caps", "-all," + names,
            "--bounding-set", "-all," + names]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.77.0.1", 0))
        return s.getsockname()[1]


def write_conf(root, port):
    path = os.path.join(root, "etc/holdfast/holdfast.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(CONF.format(port=port))
    os.chmod(path, 0o644)
    secret = os.path.join(root, "etc/holdfast/anna")
    with open(secret, "w", encoding="ascii") as f:
        f.write("violet-anvil-77\n")
    os.chmod(secret, 0o640)
    inside(root, "chgrp", "holdfast", "/etc/holdfast/anna")


def wait_for(path, word, seconds, times=1):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with open(path, encoding="utf-8", errors="replace") as f:
            if f.read().count(word) >= times:
                return True
        time.sleep(0.05)
    return False


def newer(deb, version, folder):
    """The same package under a later version."""
    tree = os.path.join(folder, "tree")
    run("dpkg-deb", "-R", deb, tree)
    control = os.path.join(tree, "DEBIAN/control")
    text = open(control, encoding="utf-8").read()
    with open(control, "w", encoding="utf-8") as f:
        f.write(re.sub(r"^Version:.*", "Version: " + version, text,
                       flags=re.M))
    out = os.path.join(folder, "newer.deb")
    run("dpkg-deb", "--root-owner-group", "-b", tree, out)
    shutil.rmtree(tree)
    return out


def play(root, deb, service):
    before = everything(root)
    shutil.copy(deb, os.path.join(root, "tmp/first.deb"))
    done = inside(root, "dpkg", "-i", "/tmp/first.deb")
    check(done.returncode == 0, "it installs", done.stdout)
    who = inside(root, "id", "holdfast").stdout
    check("(holdfast)" in who, "the account is made", who)
    owners = inside(root, "stat", "-c", "%U:%G %a", "/etc/holdfast",
                    "/var/lib/holdfast", "/var/spool/holdfast").stdout.split("\n")
    check(owners[:3] == ["root:holdfast 750", "holdfast:holdfast 750",
                         "holdfast:holdfast 750"],
          "its folders are its own", str(owners))
    for path in ("usr/share/doc/holdfast/examples/holdfast.conf.example",
                 "usr/share/man/man8/holdfastd.8.gz",
                 "usr/share/bash-completion/completions/hfctl",
                 "lib/systemd/system/holdfast.service"):
        # Minimal images leave documentation out.
        check(os.path.exists(os.path.join(root, path)), "there is " + path)

    port = free_port()
    write_conf(root, port)
    done = inside(root, "holdfastd", "-t")
    check(done.returncode == 0, "holdfastd -t takes the configuration",
          done.stdout)

    # As tmpfiles.d has it, which a machine obeys at boot.
    inside(root, "install", "-d", "-o", "holdfast", "-g", "holdfast", "-m",
           "0750", "/run/holdfast")
    log_path = os.path.join(root, "var/log/holdfast.log")
    with open(log_path, "w", encoding="ascii") as log:
        house = subprocess.Popen(
            chroot_words(root, *unit_words(service), "/usr/sbin/holdfastd"),
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        live(root, deb, port, log_path)
    finally:
        end = house.poll()
        house.terminate()
        try:
            house.wait(20)
        except subprocess.TimeoutExpired:
            house.kill()
    check(end is None, "the house stood until it was stopped")
    if failed:
        print(open(log_path, encoding="utf-8", errors="replace").read())

    done = inside(root, "dpkg", "--purge", "holdfast")
    check(done.returncode == 0, "it can be purged", done.stdout)
    left = sorted(p for p in everything(root) - before
                  if not p.startswith(NOT_OURS) and not p.endswith("-"))
    check(not left, "a purge leaves nothing", " ".join(left))
    said = [p for p in ACCOUNTS
            if "holdfast" in open(root + p, encoding="utf-8").read()]
    check(not said, "nor the account", " ".join(said))


def live(root, deb, port, log_path):
    check(wait_for(log_path, "house_open", 15), "the house opens")
    log = open(log_path, encoding="utf-8", errors="replace").read()
    check(log.count(" rails_up ") == 5 and " rails_off " not in log,
          "every process is behind its rails, as the unit starts it")
    caller = Caller(("127.77.0.1", port))
    check(caller.call() == 200, "the first call is answered")
    check(caller.hears_more(50, 5), "and the caller hears somebody")
    done = inside(root, "hfctl", "status")
    check(done.returncode == 0 and "hf-media" in done.stdout,
          "hfctl status answers", done.stdout)

    with tempfile.TemporaryDirectory(prefix="holdfast-deb.") as folder:
        shutil.copy(newer(deb, "99.0", folder),
                    os.path.join(root, "tmp/newer.deb"))
    caller.gap = 0.0
    done = inside(root, "dpkg", "-i", "/tmp/newer.deb")
    check(done.returncode == 0, "it upgrades", done.stdout)
    version = inside(root, "dpkg-query", "-W", "-f", "${Version}",
                     "holdfast").stdout
    check(version == "99.0", "to the later version", version)
    check("upgraded from" in done.stdout, "in place", done.stdout)
    check(caller.hears_more(50, 5), "the caller hears on")
    done = inside(root, "hfctl", "status")
    check(done.stdout.count(" up ") >= 6, "every process is up", done.stdout)
    rails = inside(root, "hfctl", "rails").stdout
    check(rails.count(" up ") == 5, "and behind its rails again", rails)
    print(f"FIGURE deb_upgrade_gap_ms={caller.gap * 1000:.0f}")
    check(caller.gap < 0.5, "without a gap of half a second", str(caller.gap))
    check(caller.hang_up() == 200, "and says goodbye")
    ended = inside(root, "hfctl", "calls", "--past", "1").stdout
    check("caller" in ended or "done" in ended or "chroot-" in ended,
          "his call is in the journal", ended)


# ---- booted -----------------------------------------------------------------

# What nspawn of Debian 12 forbids, and a machine does not.
ALLOWED = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


class Machine:
    """The chroot, booted; it shares the machine's network."""

    def __init__(self, root):
        self.root = root
        self.log = tempfile.TemporaryFile()
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--boot", "--directory", root,
             "--register=no", "--keep-unit", "--console=pipe",
             "--system-call-filter=" + ALLOWED],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def inside(self, *words):
        """None while there is no machine yet."""
        leader = run("pgrep", "-P", str(self.nspawn.pid)).stdout.split()
        if not leader:
            return None
        return run("nsenter", "-t", leader[0], "-m", "-u", "-i", "-p", "--",
                   "env", "DEBIAN_FRONTEND=noninteractive",
                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words)

    def says(self, what, seconds, *words):
        """A word of what the command says."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.nspawn.poll() is None:
            done = self.inside(*words)
            if done is not None and what in done.stdout.split():
                return True
            time.sleep(0.1)
        return False

    def is_up(self, seconds):
        return self.says("active", seconds, "systemctl", "is-active",
                         "holdfast")

    def keeper(self):
        return self.inside("systemctl", "show", "-P", "MainPID",
                           "holdfast").stdout.strip()

    def all_pids(self):
        """Without procps, which a minimal system has not."""
        return self.inside(
            "sh", "-c", "cd /proc; for p in [0-9]*; do case $(cat $p/comm) in"
            " hf-* | holdfastd) echo $p; esac; done").stdout.split()

    def off(self):
        self.nspawn.terminate()
        try:
            self.nspawn.wait(15)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()


def boot(root, deb):
    if shutil.which("systemd-nspawn") is None:
        print("skipped: there is no systemd-nspawn")
        return
    shutil.copy(deb, os.path.join(root, "tmp/first.deb"))
    done = inside(root, "dpkg", "-i", "/tmp/first.deb")
    check(done.returncode == 0, "it installs where systemd is", done.stdout)
    port = free_port()
    write_conf(root, port)
    with tempfile.TemporaryDirectory(prefix="holdfast-deb.") as folder:
        newer_deb = newer(deb, "99.0", folder)
        shutil.copy(newer_deb, os.path.join(root, "opt/newer.deb"))
    m = Machine(root)
    try:
        if not m.says("active", 20, "systemctl", "is-active",
                      "sysinit.target"):
            m.log.seek(0)
            print("skipped: nothing boots here:",
                  m.log.read().decode(errors="replace").strip()[-200:])
            return
        booted(m, port)
    finally:
        m.off()


def booted(m, port):
    check(m.is_up(20), "systemd starts the house",
          m.inside("journalctl", "-u", "holdfast", "--no-pager").stdout)
    m.says("hf-sip", 10, "hfctl", "rails")  # the last to be there
    rails = m.inside("hfctl", "rails").stdout
    check(rails.count(" up ") == 5, "behind its rails", rails)
    policy = m.inside(
        "sh", "-c", "cd /proc; for p in [0-9]*; do case $(cat $p/comm) in"
        " hf-media) cut -d' ' -f41 $p/stat; esac; done").stdout
    check(policy == "1\n", "sound has real-time priority", policy)
    caller = Caller(("127.77.0.1", port))
    check(caller.call() == 200, "a call is answered")
    check(caller.hears_more(50, 5), "and the caller hears somebody")

    for what, promise, most in (
            ("keeper", "the keeper is killed and the caller hears on", 0.2),
            ("all", "all of it is killed and the caller hears on", 5)):
        was = m.keeper()
        pids = [was]
        if what == "all":  # the keeper first, or it starts the others anew
            pids += [p for p in m.all_pids() if p != was]
        check(len(pids) == (1 if what == "keeper" else 6),
              f"there is who to kill ({what})", str(pids))
        if was in ("", "0"):
            return  # kill(1) would take it for all of us
        caller.gap = 0.0
        m.inside("sh", "-c", "kill -9 " + " ".join(pids))
        check(m.says("up", 10, "hfctl", "status") and m.keeper() != was,
              f"systemd starts the house again ({what} killed)")
        check(caller.hears_on(10) and caller.gap < most, promise,
              f"gap {caller.gap:.3f}")
        print(f"FIGURE deb_{what}_killed_gap_ms={caller.gap * 1000:.0f}")

    done = m.inside("systemctl", "reload", "holdfast")
    check(done.returncode == 0, "it reloads", done.stdout)
    was = m.keeper()
    caller.gap = 0.0
    done = m.inside("dpkg", "-i", "/opt/newer.deb")
    check(done.returncode == 0 and "upgraded from" in done.stdout,
          "it upgrades in place", done.stdout)
    check(caller.hears_on(5) and caller.gap < 0.5, "the caller hears on",
          f"gap {caller.gap:.3f}")
    print(f"FIGURE deb_booted_upgrade_gap_ms={caller.gap * 1000:.0f}")
    check(m.is_up(5) and m.keeper() == was, "and systemd has not noticed",
          m.inside("systemctl", "status", "holdfast", "--no-pager").stdout)
    check(caller.hang_up() == 200, "he says goodbye")
    begun = time.monotonic()
    m.inside("systemctl", "stop", "holdfast")
    check(m.says("inactive", 5, "systemctl", "is-active", "holdfast") and
          time.monotonic() - begun < 15, "it stops")
    check(not m.all_pids(), "and nobody stays behind")
    if failed:
        print(m.inside("journalctl", "-u", "holdfast", "--no-pager",
                       "-o", "cat").stdout[-20000:])


def check_package(deb, service):
    changes = glob.glob(os.path.join(os.path.dirname(deb), "*.changes"))
    if shutil.which("lintian") is None:
        print("skipped: there is no lintian")
    else:
        done = run("lintian", "--allow-root", "--fail-on", "error,warning",
                   *changes)
        check(changes and done.returncode == 0, "lintian is content",
              done.stdout)
    if shutil.which("systemd-analyze") is None:
        print("skipped: there is no systemd-analyze")
    else:
        done = run("systemd-analyze", "security", "--offline=true",
                   "--no-pager", "--threshold=" + EXPOSURE, service)
        check(done.returncode == 0, "the unit is exposed at most by 2.3",
              done.stdout)
        said = re.search(r"exposure level for \S+ ([0-9.]+)", done.stdout)
        print(f"FIGURE unit_exposure={said[1] if said else '?'}")


def main():
    folder, service = sys.argv[1:3]
    deb = glob.glob(os.path.join(folder, "holdfast_*.deb"))[0]
    check_package(deb, service)
    if os.geteuid() != 0:
        skip("only root makes a chroot")
    if run("unshare", "--mount", "true").returncode != 0:
        skip("no mount namespace may be made here")
    tar = os.path.join(CACHE, "bookworm-deb.tar")
    if not os.path.exists(tar):
        make_root(tar, deb)
    for scene in (lambda root: play(root, deb, service),
                  lambda root: boot(root, deb)):
        root = unpack_root(tar)
        try:
            scene(root)
        finally:
            if os.environ.get("HF_KEEP"):
                print("kept:", root)
            else:
                shutil.rmtree(root)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
