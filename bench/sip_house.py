"""A Holdfast between sipp and sipp, for benches and drills of signalling: its
configuration, its price, and calls of sipp's own uac (INVITE, ACK, BYE)."""

import csv
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

NUMBER = "+33400000000"
TICK = os.sysconf("SC_CLK_TCK")

stage = pathlib.Path(sys.argv[1]).resolve()
quick = "--quick" in sys.argv
work = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench."))
work.chmod(0o755)
# The state of live calls lies in memory, as installed (/run): on a disk its
# pages would be written back all the time.
memory = pathlib.Path(tempfile.mkdtemp(
    prefix="holdfast-bench.",
    dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
memory.chmod(0o755)
run = memory / "run"
net = f"127.{16 + os.getpid() % 200}.{os.getpid() // 200 % 250}"
HOUSE, UAC, UAS = f"{net}.1", f"{net}.2", f"{net}.3"


def figure(name, value, goal=None):
    met = ""
    if goal:
        limit = float(goal[2:])
        if not (value <= limit if goal[0] == "<" else
                value >= limit if goal[0] == ">" else value == limit):
            met = " missed"
    print(f"FIGURE name={name} value={round(value, 2):g}"
          + (f" goal{goal}{met}" if goal else ""), flush=True)
    return not met


def free_port(ip):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((ip, 0))
        return s.getsockname()[1]


def family(pid):
    """The process and its descendants."""
    parents = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                stat = open(f"/proc/{p}/stat").read()
                parents[int(p)] = int(stat[stat.rindex(")") + 2:].split()[1])
            except (OSError, ValueError):
                pass
    found = {pid}
    while True:
        more = {p for p, q in parents.items() if q in found} - found
        if not more:
            return found
        found |= more


def cpu_seconds(pid):
    total = 0
    for p in family(pid):
        try:
            stat = open(f"/proc/{p}/stat").read()
        except OSError:
            continue
        f = stat[stat.rindex(")") + 2:].split()
        total += int(f[11]) + int(f[12])
    return total / TICK


def rss_mb(pid):
    """Memory of all of them; what they share is counted for each."""
    pages = 0
    for p in family(pid):
        try:
            pages += int(open(f"/proc/{p}/statm").read().split()[1])
        except (OSError, IndexError):
            pass
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def shares(pid, since, calls):
    """Where our time went: {process: us a call}."""
    now = {}
    for p in family(pid):
        try:
            name = open(f"/proc/{p}/comm").read().strip()
            f = open(f"/proc/{p}/stat").read()
        except OSError:
            continue
        f = f[f.rindex(")") + 2:].split()
        now[name] = now.get(name, 0) + (int(f[11]) + int(f[12])) / TICK
    if since is None:
        return now
    return ", ".join(f"{n} {(t - since.get(n, 0)) / calls * 1e6:.0f}"
                     for n, t in sorted(now.items()))


class Peer:
    """A process of ours under test, or a peer; stopped by its pid."""

    def __init__(self, argv, name, cpu=None):
        self.log = open(work / f"{name}.log", "a")
        pin = ["taskset", "-c", cpu] if cpu else []
        self.p = subprocess.Popen(pin + [str(a) for a in argv], cwd=work,
                                  stdin=subprocess.DEVNULL,
                                  stdout=self.log, stderr=self.log)

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
            try:
                self.p.wait(15)
            except subprocess.TimeoutExpired:
                for p in family(self.p.pid):
                    os.kill(p, signal.SIGKILL)
                self.p.wait()


def answers(ip, port, source):
    ask = (f"OPTIONS sip:{ip}:{port} SIP/2.0\r\n"
           f"Via: SIP/2.0/UDP {source};branch=z9hG4bKr{time.time_ns()}\r\n"
           f"From: <sip:r@{source}>;tag=1\r\nTo: <sip:{ip}>\r\n"
           f"Call-ID: {time.time_ns()}\r\nCSeq: 1 OPTIONS\r\n"
           "Max-Forwards: 9\r\nContent-Length: 0\r\n\r\n").encode()
    for _ in range(60):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            s.settimeout(0.25)
            try:
                s.sendto(ask.replace(source.encode() + b";",
                         b"%s:%d;" % (source.encode(), s.getsockname()[1])),
                         (ip, port))
                s.recv(9000)
                return True
            except OSError:
                time.sleep(0.1)
    return False


def give_up(why, *logs):
    print(f"could not measure: {why}")
    for log in logs:
        print((work / f"{log}.log").read_text(errors="replace")[-6000:])
    sys.exit(2)


def holdfast(uas_port, cpu=None, keeper=""):
    """keeper: more lines of that section."""
    port = free_port(HOUSE)
    for d in (run, work / "store", work / "spool"):
        shutil.rmtree(d, ignore_errors=True)
        d.mkdir()
    user = ""
    if os.geteuid() == 0:
        try:
            who = pwd.getpwnam("holdfast")
        except KeyError:
            who = pwd.getpwnam("nobody")
        user = f"  user: {who.pw_name}\n"
        for d in (run, work / "store", work / "spool"):
            os.chown(d, who.pw_uid, who.pw_gid)
    (work / "holdfast.yaml").write_text(f"""\
site: bench
calls_max: 4000
sip:
  listen: ["udp:{HOUSE}:{port}"]
  # What the machine can do is what is measured.
  calls_per_s: 100000
rtp:
  address: {HOUSE}
  ports: 10000-26063
  workers: 1
guard:
  # The scenario has no sound: nobody shall be rescued in its one second.
  never: 60s
  lost: 60s
  suspect: 5s
  voice: 10s
keeper:
  run_dir: {run}
  drain_max: 0s
{keeper}{user}store:
  dir: {work}/store
  spool: {work}/spool
trunks:
  carrier:
    peers: ["{UAC}"]
centres:
  cloud:
    to: ["sip:cloud@{UAS}:{uas_port}"]
ladders:
  front: [ {{ centre: cloud }} ]
numbers:
  "{NUMBER}": front
""")
    p = Peer([stage / "sbin/holdfastd", "-c", work / "holdfast.yaml"],
             "holdfastd", cpu)
    if not answers(HOUSE, port, UAC):
        p.stop()
        give_up("holdfastd did not come up", "holdfastd")
    return p, port


def load(target_port, uas_port, cps, seconds, cpu=None, hold_ms=0):
    """Runs the calls; (made, failed)."""
    calls = cps * seconds
    stat = work / "uac.csv"
    stat.unlink(missing_ok=True)
    uas = Peer(["sipp", "-sn", "uas", "-i", UAS, "-p", uas_port, "-nostdin",
                "-mp", 7000, "-buff_size", 4 << 20], "uas", cpu)
    time.sleep(0.3)
    uac = Peer(["sipp", "-sn", "uac", f"{HOUSE}:{target_port}", "-i", UAC,
                "-p", free_port(UAC), "-s", NUMBER, "-r", cps, "-m", calls,
                "-l", 20000, "-nostdin", "-mp", 8000,
                "-buff_size", 4 << 20, "-trace_stat", "-stf", stat,
                "-fd", 1, "-timeout", seconds + 20, "-recv_timeout", 10000,
                *(["-d", hold_ms] if hold_ms else [])], "uac", cpu)
    try:
        uac.p.wait(seconds + 40)
    except subprocess.TimeoutExpired:
        pass
    uac.stop()
    uas.stop()
    if not stat.exists():
        return 0, calls
    rows = list(csv.DictReader(open(stat), delimiter=";"))
    last = rows[-1] if rows else {}
    good = int(last.get("SuccessfulCall(C)") or 0)
    why = [f"{name[:-3]} {n}" for name, n in last.items()
           if name and name.startswith("Failed") and name.endswith("(C)")
           and name != "FailedCall(C)" and n.isdigit() and int(n)]
    if why:
        print(f"note: sipp says {', '.join(why)}", flush=True)
    return calls, calls - good


def tidy():
    if "HF_KEEP" not in os.environ:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(memory, ignore_errors=True)
