#!/usr/bin/python3
"""systemd_test.py STAGE UNIT TMPFILES - the house under a systemd that was
booted for it (systemd-nspawn -b, in a small Debian 12): what kills the keeper,
or everything at once, is heard by no caller, or not for long, and loses no
packet of SIP.

The machine in it shares our loopback.  It is made once (debootstrap) and kept
in HF_CACHE, as that of deb_test.py."""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import deb_test
from deb_test import CACHE, MIRROR, Caller, check, free_port, run, skip

INCLUDE = ("procps,systemd,systemd-sysv,dbus,passwd,libyaml-0-2,libsqlite3-0,"
           "libssl3,libc-ares2")
BOOT_S = 60


def make_root(tar):
    for needed in ("debootstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(needed) is None:
            skip("there is no " + needed)
    if not os.path.exists(tar):
        os.makedirs(CACHE, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as new:
            done = run("debootstrap", "--variant=minbase",
                       "--include=" + INCLUDE, "bookworm", new, *MIRROR)
            if done.returncode != 0:
                skip("debootstrap: " + done.stdout.strip().split("\n")[-1])
            os.chmod(new, 0o755)  # its /, where the account has to pass
            run("tar", "-C", new, "-cf", tar + ".new", ".")
        os.rename(tar + ".new", tar)
    root = tempfile.mkdtemp(prefix="holdfast-systemd.", dir="/var/tmp")
    os.chmod(root, 0o755)
    if run("tar", "-C", root, "-xpf", tar).returncode != 0:
        skip("the machine cannot be unpacked")
    return root


def furnish(root, stage, unit, tmpfiles, port, bot):
    for folder, to in (("sbin", "usr/sbin"), ("bin", "usr/bin"),
                       ("libexec", "usr/libexec")):
        run("cp", "-r", os.path.join(stage, folder) + "/.",
            os.path.join(root, to))
    run("chroot", root, "useradd", "--system", "--user-group",
        "--no-create-home", "holdfast")
    run("chroot", root, "install", "-d", "-o", "holdfast", "-g", "holdfast",
        "/var/lib/holdfast", "/var/spool/holdfast", "/etc/holdfast")
    shutil.copy(unit, os.path.join(root, "etc/systemd/system/"))
    shutil.copy(tmpfiles, os.path.join(root, "usr/lib/tmpfiles.d/holdfast.conf"))
    wants = os.path.join(root, "etc/systemd/system/multi-user.target.wants")
    os.makedirs(wants, exist_ok=True)
    os.symlink("/etc/systemd/system/holdfast.service",
               os.path.join(wants, "holdfast.service"))
    with open(os.path.join(root, "etc/holdfast/holdfast.conf"), "w",
              encoding="ascii") as f:
        f.write(CONF.format(port=port, bot=bot))


CONF = """site: machine
sip: {{ listen: ["udp:127.77.0.1:{port}"] }}
rtp: {{ address: 127.77.0.1, ports: 42000-42199, workers: 1 }}
keeper: {{ drain_max: 0s }}
trunks: {{ carrier: {{ peers: [127.77.0.9] }} }}
centres: {{ cloud: {{ to: ["sip:bot@127.77.0.8:{bot}"] }} }}
ladders: {{ front: [ centre: cloud ] }}
numbers: {{ "100": front }}
"""


class Bot:
    """Takes each call, and talks without a pause."""

    def __init__(self):
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind(("127.77.0.8", 0))
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.77.0.8", 0))
        self.port = self.sip.getsockname()[1]
        self.far = None
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.speak, daemon=True).start()

    def listen(self):
        while True:
            text, house = self.sip.recvfrom(65536)
            text = text.decode()
            if text.startswith(("SIP/2.0", "ACK")):
                continue
            kept = "".join(
                line + "\r\n" for line in text.split("\r\n\r\n")[0].split("\r\n")
                if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:")))
            to = re.search(r"\r\nTo: ([^\r]*)", text)[1]
            body = ""
            if text.startswith("INVITE"):
                self.far = (re.search(r"\r\nc=IN IP4 (\S+)", text)[1],
                            int(re.search(r"\r\nm=audio (\d+)", text)[1]))
                ip, port = self.rtp.getsockname()
                body = (f"v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\n"
                        f"c=IN IP4 {ip}\r\nt=0 0\r\n"
                        f"m=audio {port} RTP/AVP 0\r\n")
            tag = "" if ";tag=" in to else ";tag=bot"
            kind = "Content-Type: application/sdp\r\n" if body else ""
            self.sip.sendto((
                f"SIP/2.0 200 OK\r\n{kept}To: {to}{tag}\r\n"
                f"Contact: <sip:bot@127.77.0.8:{self.port}>\r\n{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode(), house)

    def speak(self):
        n, due = 0, time.monotonic()
        while True:
            if self.far is not None:
                head = struct.pack("!BBHII", 0x80, 0, n & 0xffff, n * 160, 9)
                self.rtp.sendto(head + b"\x25\xa5" * 80, self.far)
            n += 1
            due += 0.02
            time.sleep(max(0, due - time.monotonic()))


class Machine:
    def __init__(self, root):
        self.log = open(os.path.join(root, "console"), "wb")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "-q", "-b", "-D", root, "--register=no",
             "--keep-unit", "-M", f"holdfast-{os.getpid()}",
             "--system-call-filter=landlock_create_ruleset "
             "landlock_add_rule landlock_restrict_self"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.leader = None

    def find_leader(self):
        """Its PID 1, as we see it."""
        queue = [self.nspawn.pid]
        while queue:
            pid = queue.pop()
            try:
                with open(f"/proc/{pid}/task/{pid}/children",
                          encoding="ascii") as f:
                    queue += [int(c) for c in f.read().split()]
                with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                    if f.read().strip() == "systemd":
                        return pid
            except OSError:
                pass
        return None

    def boots(self):
        until = time.monotonic() + BOOT_S
        while time.monotonic() < until and self.nspawn.poll() is None:
            self.leader = self.find_leader()
            if self.leader is not None:
                state = self.inside("systemctl", "is-system-running").stdout
                if state.strip() in ("running", "degraded"):
                    return True
            time.sleep(0.2)
        return False

    def inside(self, *words):
        return run("nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-p",
                   "-r", "-w", *words)

    def main_pid(self):
        said = self.inside("systemctl", "show", "-P", "MainPID", "holdfast")
        return int(said.stdout.strip() or 0)

    def pids(self):
        """{name: pid}, as hfctl sees them, by their numbers in there."""
        found = {}
        said = self.inside("hfctl", "status").stdout
        for line in said.split("\n"):
            words = line.split()
            if len(words) > 3 and words[2] in ("up", "starting", "old"):
                found[words[0]] = int(words[1])
        return found

    def all_up(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            said = self.inside("hfctl", "status").stdout
            if said.count(" up  ") >= 6:
                return True
            time.sleep(0.05)
        return False

    def kill(self, *pids):
        pids = [str(p) for p in pids if p > 1]
        if pids:
            self.inside("kill", "-9", *pids)

    def stop(self):
        self.nspawn.send_signal(signal.SIGTERM)
        try:
            self.nspawn.wait(30)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()
        self.log.close()


def questions(port, n, call_id):
    """OPTIONS, each of which has an answer in the end."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.77.0.9", 0))
    me = "%s:%d" % s.getsockname()
    for i in range(n):
        s.sendto((
            f"OPTIONS sip:127.77.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {me};branch=z9hG4bK{call_id}{i}\r\n"
            f"From: <sip:x@{me}>;tag=a\r\nTo: <sip:127.77.0.1>\r\n"
            f"Call-ID: {call_id}{i}\r\nCSeq: 1 OPTIONS\r\n"
            f"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode(),
            ("127.77.0.1", port))
    return s


def answers(s, seconds):
    heard = set()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        s.settimeout(max(0.01, until - time.monotonic()))
        try:
            text = s.recv(65536).decode()
        except TimeoutError:
            break
        heard.add(text.split("Call-ID: ")[1].split("\r\n")[0])
    s.close()
    return len(heard)


def play(machine, port):
    check(machine.all_up(20), "the unit brings the house up",
          machine.inside("journalctl", "-u", "holdfast", "-n", "50").stdout)
    caller = Caller(("127.77.0.1", port))
    check(caller.call() == 200 and caller.hears_more(50, 5),
          "a caller hears somebody")
    if deb_test.failed:
        return
    was, rooms = machine.main_pid(), machine.pids()

    caller.gap = 0.0
    machine.kill(was)
    time.sleep(0.5)
    check(machine.all_up(20) and machine.main_pid() not in (0, was),
          "a keeper that is killed is started again")
    now = machine.pids()
    check(all(now.get(r) == pid for r, pid in rooms.items()
              if r != "holdfastd"), "its rooms outlived it", str((rooms, now)))
    caller.hears_more(50, 5)
    print(f"FIGURE systemd_keeper_gap_ms={caller.gap * 1000:.0f}")
    check(caller.gap < 0.3, "and the caller has heard nothing of it",
          str(caller.gap))

    caller.gap = 0.0
    s = questions(port, 5, "before")
    check(answers(s, 3) == 5, "OPTIONS are answered")
    machine.kill(*machine.pids().values())
    s = questions(port, 20, "between")
    check(answers(s, 15) == 20,
          "killed all at once they lose no message: systemd has the sockets",
          machine.inside("journalctl", "-u", "holdfast", "-n", "80").stdout)
    check(machine.all_up(20), "all are there again")
    check(caller.hears_more(50, 10), "and the caller hears on",
          machine.inside("journalctl", "-u", "holdfast", "-n", "90").stdout)
    print(f"FIGURE systemd_house_gap_ms={caller.gap * 1000:.0f}")
    said = machine.inside("journalctl", "-u", "holdfast").stdout
    check("sockets_taken" in said and "Address already" not in said,
          "the sockets were taken from systemd", said[-3000:])

    was, rooms = machine.main_pid(), machine.pids()
    run("nsenter", "-t", str(machine.leader), "-m", "-p", "-r", "sh", "-c",
        "for f in /usr/sbin/holdfastd /usr/libexec/holdfast/hf-*; do "
        "cp $f $f.new && mv $f.new $f; done")
    caller.gap = 0.0
    done = machine.inside("hfctl", "upgrade")
    check(done.returncode == 0 and machine.main_pid() == was,
          "an upgrade is nothing that systemd sees", done.stdout)
    now = machine.pids()
    check(all(now.get(r) not in (None, pid) for r, pid in rooms.items()
              if r != "holdfastd"), "every room is another",
          str((rooms, now)))
    caller.hears_more(50, 5)
    print(f"FIGURE systemd_upgrade_gap_ms={caller.gap * 1000:.0f}")
    check(caller.gap < 0.5, "and the caller has heard nothing of it",
          str(caller.gap))
    check(machine.inside("systemctl", "is-active", "holdfast").stdout.strip()
          == "active", "the unit is active")

    check(caller.hang_up() == 200, "he says goodbye")
    done = machine.inside("systemctl", "stop", "holdfast")
    left = machine.inside("pgrep", "hf-|holdfastd").stdout.split()
    check(done.returncode == 0 and not left, "a stop ends them all", str(left))


def main():
    stage, unit, tmpfiles = sys.argv[1:4]
    if os.geteuid() != 0:
        skip("only root boots a machine")
    root = make_root(os.path.join(CACHE, "bookworm-systemd.tar"))
    port = free_port()
    furnish(root, stage, unit, tmpfiles, port, Bot().port)
    machine = Machine(root)
    try:
        if not machine.boots():
            with open(os.path.join(root, "console"), "rb") as f:
                said = f.read().decode(errors="replace").strip().split("\n")
            skip("systemd does not boot here: " + said[-1])
        play(machine, port)
    finally:
        machine.stop()
        if os.environ.get("HF_KEEP"):
            print("kept:", root)
        else:
            shutil.rmtree(root, ignore_errors=True)
    print(f"{deb_test.passed} passed, {deb_test.failed} failed, 0 skipped")
    return 1 if deb_test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
