#!/usr/bin/python3
"""deb_test.py FOLDER SERVICE - the package in FOLDER as an operator meets it, in a chroot of
Debian 12: lintian, the unit's guard rails, install, the first call, an upgrade
with that call up, purge.

The chroot is made once (debootstrap, from the mirror of HF_MIRROR) and kept in
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

MIRROR = os.environ.get("HF_MIRROR", "http://deb.debian.org/debian")
CACHE = os.environ.get("HF_CACHE", os.path.expanduser("~/.cache/holdfast"))
SKIP = 77
EXPOSURE = "23"  # 2.3, in tenths
# Of the machine, not of the package.
NOT_OURS = ("/proc", "/sys", "/dev", "/run/adduser", "/var/lib/dpkg", "/var/cache", "/var/log",
            "/var/lib/systemd", "/etc/.pwd.lock", "/tmp")
# Rewritten whole; what they say of us is looked at.
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")

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
                   "--include=" + ",".join(depends_of(deb)), "bookworm", new,
                   MIRROR)
        if done.returncode != 0:
            skip("debootstrap: " + done.stdout.strip().split("\n")[-1])
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
rtp: {{ address: 127.77.0.1, ports: 42000-42199, workers: 1 }}
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
    tar = os.path.join(CACHE, "bookworm.tar")
    if not os.path.exists(tar):
        make_root(tar, deb)
    root = unpack_root(tar)
    try:
        play(root, deb, service)
    finally:
        if os.environ.get("HF_KEEP"):
            print("kept:", root)
        else:
            shutil.rmtree(root)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
