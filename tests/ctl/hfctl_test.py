#!/usr/bin/env python3
"""hfctl against a keeper made of a few lines: every verb, both ways of
showing, every way to fail, and whether the page and the shell know them.

    hfctl_test.py HFCTL MANUAL-PAGE COMPLETION
"""
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading

HFCTL, PAGE, COMPLETION = sys.argv[1:4]
NOW = 1772366400000000


def row(**values):
    """wire/row.h: names end in the type: id_s, n_n, live_b, at_t, gap_d"""
    out = b''
    for key, v in values.items():
        name, kind = key[:-2].encode(), key[-1]
        text = v if isinstance(v, bytes) else str(v).encode()
        out += kind.encode() + bytes([len(name)]) + name
        out += struct.pack('<H', len(text)) + text
    return out


def sip(first, cseq):
    return f'{first}\r\nCSeq: {cseq}\r\n\r\n'


ANSWERS = {
    'status': [row(site_s='lyon', up_d=7200000000, draining_b='false'),
               row(process_s='hf-call', pid_n=42, state_s='up')],
    'summary': [row(calls_n=3, waiting_n=1)],
    'config': [row(key_s='site', value_s='lyon', origin_s='f:1'),
               row(key_s='numbers.+33400000000', value_s='front',
                   origin_s='f:9')],
    'calls': [row(id_s='lyon-1-7', state_s='with_helper', age_d=12345678,
                  from_s=b'evil\x1b[2J\xff"')],
    'past': [row(id_s='lyon-1-6', came_t=NOW, worst_gap_d=71200,
                 cause_s='done')],
    'call': 'no such call; see hfctl calls',
    'past_call': [row(id_s='lyon-1-6', cause_s='done'),
                  row(step_n=0, kind_s='bot', name_s='cloud-a')],
    'why': [row(at_t=NOW, what_s='call_came', detail_s='ladder=front'),
            row(at_t=NOW + 8204000, what_s='helper_lost',
                detail_s='bot:cloud-a rtp_stopped')],
    'legs': 'no such call; see hfctl calls',
    'past_legs': [row(leg_n=1, side_s='caller', name_s=''),
                  row(leg_n=9223372036854775810, side_s='helper',
                      name_s='bot:cloud-a')],
    'trace': [row(at_t=NOW + 1200, leg_n=9223372036854775810, dir_s='out',
                  transport_s='tcp', local_s='192.0.2.1:5060',
                  remote_s='192.0.2.9:5060',
                  text_s=sip('INVITE sip:bot@x SIP/2.0', '1 INVITE')),
              row(at_t=NOW, leg_n=1, dir_s='in', transport_s='udp',
                  local_s='192.0.2.1:5060', remote_s='203.0.113.9:5060',
                  text_s=sip('INVITE sip:+334@x SIP/2.0', '1 INVITE'))],
    'agents': [row(name_s='anna', state_s='available', since_d=1000000),
               row(name_s='alice', state_s='offline', since_d=0)],
    'agent': [row(name_s='anna', state_s='not_ready')],
    'registrations': [],
    'trunks': [row(name_s='carrier', state_s='down', since_t=NOW)],
    'queues': [row(name_s='sales', waiting_n=0)],
    'helpers': [row(name_s='cloud-a', breaker_s='closed', share_n=100)],
    'helper': [row(name_s='cloud-a', breaker_s='open', forced_b='true')],
    'explain': [row(rung_n=1, kind_s='bot', name_s='cloud-a',
                    now_s='would be tried')],
    'streams': [row(stream_n=0, worker_n=0, gap_max_d=40000)],
    'message_delete': [],
    'messages': [row(box_s='front', name_s='m1', at_t=NOW,
                      length_d=5000000)],
    'sip': [row(name_s='legs', value_n=2)],
    'journal': [row(state_s='ok', taken_n=7)],
    'spools': [row(process_s='hf-call', waiting_n=3, dropped_n=0,
                   kept_in_s='file')],
    'emergency': [row(last_t=NOW)],
    'rails': [row(process_s='hf-call', worker_n=0, rails_s='up',
                  landlock_n=7)],
    'drop': [row(dropped_s='lyon-1-7')],
    'reload': [row(generation_n=2)],
    'drain': [row(draining_b='true', calls_n=3)],
    'upgrade': [row(from_s='1.0', to_s='1.1')],
}
asked = []


def frame(kind, ident, more, error, body):
    p = struct.pack('<IB', ident, more)
    p += struct.pack('<H', len(error)) + error
    p += struct.pack('<H', len(body)) + body
    return struct.pack('<HHII', 12 + len(p), kind, 1, 1) + p


def answer(s):
    while True:
        p = s.recv(65536)
        if not p:
            return
        _, kind, _, _ = struct.unpack_from('<HHII', p)
        ident, n = struct.unpack_from('<IH', p, 12)
        verb = p[18:18 + n].decode()
        words_n, = struct.unpack_from('<H', p, 18 + n + 12)
        at = 18 + n + 14
        words = p[at:at + words_n].split(b'\0')[:-1]
        asked.append((verb, [w.decode() for w in words]))
        rows = ANSWERS[verb]
        reply = kind + 1  # REPLY follows ASK in wire/msg.def
        if rows is None:
            continue
        if isinstance(rows, str):
            s.send(frame(reply, ident, 0, rows.encode(), b''))
            continue
        error = b''
        if isinstance(rows, tuple):
            rows, error = rows
        for r in rows:
            s.send(frame(reply, ident, 1, b'', r))
        s.send(frame(reply, ident, 0, error, b''))
        if verb == 'upgrade' and not error:
            s.shutdown(socket.SHUT_RDWR)  # who answers next is another
            return


def keep(listener):
    while True:
        try:
            s, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(s,), daemon=True).start()


failures = 0


def check(ok, what, more=''):
    global failures
    if not ok:
        failures += 1
        print('FAILED:', what, more)


def hfctl(*words, run_dir=None, binary=False):
    env = dict(os.environ, HF_RUN_DIR=run_dir or DIR, TZ='UTC')
    r = subprocess.run([HFCTL, *words], env=env, capture_output=True,
                       timeout=20)
    out = r.stdout if binary else r.stdout.decode()
    return r.returncode, out, r.stderr.decode()


def each_verb_answers_in_both_ways():
    words = {'call': ['lyon-1-6'], 'why': ['lyon-1-6'],
             'trace': ['lyon-1-6'],
             'drop': ['lyon-1-7'], 'agent': ['anna', 'not-ready'],
             'helper': ['cloud-a', 'open'], 'explain': ['+33400000000']}
    for verb in VERBS:
        if verb in ('demo', 'diagnose', 'upgrade'):
            continue
        code, out, err = hfctl(verb, *words.get(verb, []))
        check(code == 0 and out, f'{verb} answers', (code, out, err))
        check(all(c == '\n' or ord(c) >= 32 for c in out),
              f'{verb} leaves the terminal alone', repr(out))
        code, out, err = hfctl('--json', verb, *words.get(verb, []))
        try:
            json.loads(out)
        except ValueError as e:
            check(False, f'{verb} speaks JSON', (e, out, err))
        check(code == 0, f'{verb} --json', err)
    check(('agent', ['anna', 'not_ready']) in asked, 'words go along')
    check(('helper', ['cloud-a', 'open']) in asked, 'words go along')


def answers_have_their_shape():
    _, out, _ = hfctl('why', 'lyon-1-6')
    check('+     8.204 s  helper_lost  bot:cloud-a rtp_stopped' in out, out)
    _, out, _ = hfctl('--json', 'why', 'lyon-1-6')
    check(json.loads(out)['timeline'][1]['after_ms'] == 8204, out)
    _, out, _ = hfctl('calls')
    check('evil\\x1b[2J\\xff"' in out and '12.35s' in out, out)
    _, out, _ = hfctl('calls', '--past', '1')
    check('2026-03-01 12:00:00.000' in out and '71ms' in out, out)
    check(('past', ['limit', '1']) in asked, 'past 1')
    _, out, _ = hfctl('--json', 'calls', '--past', '1')
    check(json.loads(out)[0]['worst_gap_ms'] == 71.2, out)
    _, out, _ = hfctl('drain', '--off')
    check(asked[-1] == ('drain', ['off']), asked[-1])
    _, out, _ = hfctl('reload', '--reset')
    check(asked[-2][0] == 'reload' and asked[-1][0] == 'helpers', asked[-2:])
    ANSWERS['helpers'].append(row(name_s='b', forced_s='open'))
    hfctl('reload', '--reset')
    check(asked[-1] == ('helper', ['b', 'auto']), asked[-1])
    ANSWERS['helpers'].pop()
    _, out, _ = hfctl('status')
    check('2h00m' in out and 'hf-call' in out and 'waiting' in out, out)
    check('carrier' in out and 'down' in out, out)
    _, out, _ = hfctl('trace', 'lyon-1-6')
    lines = out.splitlines()
    check('bot:cloud-a' in lines[0] and len(lines) == 4, out)
    check(lines[2].lstrip().startswith('0.000 ms  |-- INVITE'), out)
    check(('trace', ['1', '9223372036854775810']) in asked, asked[-1])


def a_trace_opens_in_tshark():
    code, out, err = hfctl('trace', 'lyon-1-6', '--pcap', '-', binary=True)
    check(code == 0 and out[:4] in (b'\xd4\xc3\xb2\xa1', b'\xa1\xb2\xc3\xd4'),
          'a pcap file', err)
    path = os.path.join(DIR, 'trace.pcap')
    hfctl('trace', 'lyon-1-6', '--pcap', path)
    try:
        r = subprocess.run(
            ['tshark', '-r', path, '-o', 'ip.check_checksum:TRUE',
             '-o', 'udp.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE',
             '-T', 'fields', '-e', 'ip.src', '-e', 'sip.Method',
             '-e', '_ws.malformed', '-e', 'ip.checksum.status',
             '-e', 'udp.checksum.status', '-e', 'tcp.checksum.status'],
            capture_output=True, timeout=60)
    except FileNotFoundError:
        print('skipped: tshark is not installed')
        return
    check(r.stdout.decode().splitlines() == [
        '203.0.113.9\tINVITE\t\t1\t1\t', '192.0.2.1\tINVITE\t\t1\t\t1'],
        'tshark reads it', (r.stdout, r.stderr))


def voicemail_is_exported_but_never_over_a_file():
    there, path = os.path.join(DIR, 'm1.wav'), os.path.join(DIR, 'm.wav')
    ANSWERS['message_export'] = [row(path_s=there)]
    code, out, err = hfctl('voicemail', 'export', 'front', 'm1', path)
    check(code == 1 and 'cannot be read' in err, err)
    with open(there, 'wb') as f:
        f.write(b'RIFF\0\1')
    code, out, err = hfctl('voicemail', 'export', 'front', 'm1', path)
    check(code == 0 and open(path, 'rb').read() == b'RIFF\0\1', err)
    check(asked[-1] == ('message_export', ['front', 'm1']), asked[-1])
    code, out, err = hfctl('voicemail', 'export', 'front', 'm1', path)
    check(code == 1 and 'File exists' in err, err)
    code, out, _ = hfctl('voicemail', 'export', 'front', 'm1', '-',
                         binary=True)
    check(code == 0 and out == b'RIFF\0\1', out)
    code, out, err = hfctl('voicemail', 'delete', 'front', 'm1')
    check(code == 0, err)
    check(asked[-1] == ('message_delete', ['front', 'm1']), asked[-1])


def trouble_is_one_line_and_an_exit_code():
    rows = [
        (['nonsense'], 2, 'not a verb'),
        ([], 2, 'usage:'),
        (['call'], 2, 'say hfctl call ID'),
        (['queues', 'x'], 2, 'say hfctl queues'),
        (['queues', '--past', '3'], 2, 'means nothing to "queues"'),
        (['--nonsense', 'queues'], 2, 'not an option'),
        (['queues', '--socket'], 2, 'needs a value'),
        (['queues', '--timeout', 'soon'], 2, 'not a time'),
        (['calls', '--live', '--past', '1'], 2, 'exclude each other'),
        (['calls', '--past', 'x'], 2, '--past takes a number'),
        (['voicemail', 'burn'], 2, 'none of: list export delete'),
        (['voicemail', 'export'], 2, 'say voicemail'),
        (['agent', 'anna', 'fine'], 2, 'none of: available not-ready'),
        (['helper', 'cloud-a', 'banana'], 2, 'none of: open close'),
        (['--json', 'demo', 'rescue'], 2, 'told in words'),
        (['config', '-c', '/nonexistent'], 1, 'cannot be opened'),
        (['--json', 'diagnose'], 2, 'the bundle is a file'),
        (['diagnose', '/nonexistent/b'], 1, 'name another file'),
    ]
    for words, want, says in rows:
        code, _, err = hfctl(*words)
        check(code == want and says in err, words, (code, err))
    code, _, err = hfctl('status', run_dir='/nonexistent')
    check(code == 3 and 'is holdfastd running?' in err, err)
    saved = dict(ANSWERS)
    ANSWERS.update(agents=None, why='no such call; try\x1b another',
                   past_call='no such call; see hfctl calls',
                   summary='hf-call does not answer; see the log',
                   reload='2 errors; the old configuration stays in force')
    code, _, err = hfctl('agents', '--timeout', '100ms')
    check(code == 3 and 'no answer to "agents" within 100 ms' in err, err)
    code, _, err = hfctl('why', 'x')
    check(code == 1 and err == 'hfctl: no such call; try\\x1b another\n', err)
    code, _, err = hfctl('call', 'x')
    check(code == 1 and err.count('\n') == 1, err)
    code, out, _ = hfctl('status')
    check(code == 0 and 'hf-call does not answer' in out, out)
    code, _, err = hfctl('reload')
    check(code == 1 and 'stays in force' in err, err)
    ANSWERS.update(saved)


def a_bundle(run_dir=None):
    path = os.path.join(DIR, 'bundle.tar.gz')
    code, out, err = hfctl('diagnose', path, run_dir=run_dir)
    check(code == 0 and out == path + '\n', 'diagnose', (code, out, err))
    check(os.stat(path).st_mode & 0o777 == 0o600, 'for its maker alone')
    with tarfile.open(path) as t:
        files = {m.name: t.extractfile(m).read() for m in t}
    os.unlink(path)
    return files


def what_goes_to_support_names_nobody():
    saved = dict(ANSWERS)
    ANSWERS.update(
        config=[row(key_s='site', value_s='lyon', origin_s='f:1'),
                row(key_s='agents.anna.extension', value_s='201'),
                row(key_s='agents.john.doe.secret_file',
                    value_s='/etc/holdfast/john.doe'),
                row(key_s='outbound.allow', value_s='+4477*, 0800'),
                row(key_s='trunks.carrier.user', value_s='acct-9'),
                row(key_s='trunks.carrier.peers', value_s='203.0.113.0/24'),
                row(key_s='bots.cloud-a.to',
                    value_s='sip:bot@bots.acme.example;transport=tcp'),
                row(key_s='numbers.6017', value_s='front')],
        calls=[row(id_s='lyon-1795167600-7', number_s='+33400000000',
                   from_s='+33155501234', with_s='agent:anna')],
        past=[row(id_s='lyon-1795167600-6', number_s='6017', from_s='joe',
                  last_s='agent:john.doe')],
        messages=[row(box_s='front', from_s='4711')],
        registrations=[row(agent_s='anna', expires_d=1000000,
                           contact_s='sip:anna@[2001:db8::17]:5060')])
    everything = a_bundle()
    # Numbers of the machine may be anybody's.
    text = b'\n'.join(v for k, v in everything.items() if k not in (
        'holdfast/machine', 'holdfast/processes', 'holdfast/files')).decode()
    for word in ('anna', '201', 'john.doe', '4477', '0800', 'acct-9',
                 '203.0.113', 'acme.example', '6017', '33400000000',
                 '33155501234', 'joe', '2001:db8', 'front'):
        check(word not in text, f'{word} is taken out', text)
    check('id=lyon-1795167600-7' in text and 'bots.cloud-a.to' in text, text)
    ANSWERS.update(saved)
    everything = a_bundle('/nonexistent')
    check(b'no answer: ' in everything['holdfast/answers/status'],
          'a house that is down is told of', everything)


def a_mistake_in_the_file_does_not_hide_the_house():
    path = os.path.join(DIR, 'h.conf')
    with open(path, 'w') as f:
        f.write(f'keeper:\n  run_dir: {DIR}\nnonsense: 1\n')
    code, out, err = hfctl('-c', path, 'agents', run_dir='/nonexistent')
    check(code == 0 and 'anna' in out and f'{path}:3:1' in err, out, err)
    with open(path, 'w') as f:
        f.write('keeper: [\n')
    code, _, err = hfctl('-c', path, 'agents', run_dir='/nonexistent')
    check(code == 1 and path in err, err)


def the_shell_knows_verbs_options_and_live_names():
    def complete(*words):
        return hfctl('complete', *words)[1].split()

    check(set(VERBS) <= set(complete('')), 'verbs complete')
    check(complete('hel') == ['helpers', 'helper'], complete('hel'))
    check(complete('agent', 'an') == ['anna'], 'agents complete')
    check(complete('agent', 'anna', '') == ['available', 'not-ready'], '')
    check(complete('helper', '') == ['cloud-a'], '')
    check(complete('why', '') == ['lyon-1-7', 'lyon-1-6'], '')
    check(complete('explain', '+') == ['+33400000000'], '')
    check('--past' in complete('calls', '--'), '')
    check(complete('voicemail', 'export', '') == ['front'], '')
    bash = f'''
        hfctl() {{ {HFCTL} "$@"; }}
        source {COMPLETION}
        COMP_WORDS=(hfctl --json agent a) COMP_CWORD=3
        _hfctl; echo "${{COMPREPLY[@]}}"'''
    r = subprocess.run(['bash', '-c', bash], capture_output=True, timeout=20,
                       env=dict(os.environ, HF_RUN_DIR=DIR))
    check(r.stdout.decode().strip() == 'anna alice', 'bash', r)


# As under build/stage while "make run" runs.
def the_house_of_its_own_tree_is_found():
    with tempfile.TemporaryDirectory() as tree:
        for folder in 'bin', 'run':
            os.mkdir(os.path.join(tree, folder))
        os.symlink(DIR, os.path.join(tree, 'run', 'holdfast'))
        copy = shutil.copy(HFCTL, os.path.join(tree, 'bin'))
        env = {k: v for k, v in os.environ.items() if k != 'HF_RUN_DIR'}
        r = subprocess.run([copy, 'status'], env=env, capture_output=True,
                           timeout=20)
        check(r.returncode == 0 and b'site' in r.stdout, 'own tree', r)


def an_upgrade_is_watched_to_its_end():
    code, out, err = hfctl('upgrade', '--to', '.')
    check(code == 0 and 'upgraded from 1.0 to 1.1' in out, out, err)
    check(asked[-2] == ('upgrade', [os.path.realpath('.')]) and
          asked[-1] == ('status', []), 'a folder is named in full', asked[-2:])
    good, status = ANSWERS['upgrade'], ANSWERS['status']
    ANSWERS['status'] = status[:1] + [
        row(process_s='hf-sip', pid_n=1, state_s='up'),
        row(process_s='hf-call', pid_n=2, state_s='kept')]
    code, out, err = hfctl('--json', 'upgrade')
    check(code == 1 and '1 go on as they were' in err, 'kept', (out, err))
    check(json.loads(out)['processes'][1]['state'] == 'kept', out)
    ANSWERS['status'] = status
    ANSWERS['upgrade'] = ([row(problem_s='table=call.slots take=no')],
                          b'hf-call could not go on')
    code, out, err = hfctl('upgrade')
    check(code == 1 and out == 'table=call.slots take=no\n' and
          err == 'hfctl: hf-call could not go on\n', 'refused', (out, err))
    ANSWERS['upgrade'] = good
    code, out, err = hfctl('upgrade', '--to', '/nowhere')
    check(code == 2 and '/nowhere' in err, 'no folder', (code, err))


def the_page_has_each_verb_and_option():
    page = open(PAGE).read()
    for verb in VERBS:
        check(re.search(rf'^\.It Cm {verb}\b', page, re.M),
              f'{PAGE}: .It Cm {verb}')
    for option in sorted(set(re.findall(r'--([a-z]+)', USAGE))):
        check(re.search(rf'Fl -{option}\b', page), f'{PAGE}: Fl -{option}')


with tempfile.TemporaryDirectory() as DIR:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(os.path.join(DIR, 'control'))
    listener.listen()
    threading.Thread(target=keep, args=(listener,), daemon=True).start()
    USAGE = hfctl('--help')[1]
    VERBS = re.findall(r'^  ([a-z]+)', USAGE, re.M)
    check(len(VERBS) > 15, VERBS)
    each_verb_answers_in_both_ways()
    answers_have_their_shape()
    a_trace_opens_in_tshark()
    voicemail_is_exported_but_never_over_a_file()
    trouble_is_one_line_and_an_exit_code()
    what_goes_to_support_names_nobody()
    a_mistake_in_the_file_does_not_hide_the_house()
    an_upgrade_is_watched_to_its_end()
    the_shell_knows_verbs_options_and_live_names()
    the_house_of_its_own_tree_is_found()
    the_page_has_each_verb_and_option()
    listener.close()
sys.exit(failures != 0)
