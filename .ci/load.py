"""Many visitors at once: how fast the demo answers, how often it fails, what memory it holds (`make load`).
Each visitor sends what the page sends: a history that nobody had before, and waits for its list.
`.venv/bin/python .ci/load.py --run RUN` asks a server of that bundle (`tiger_serve`) instead, 5 minutes."""
import argparse, http.client, json, os, random, re, signal, socket, subprocess, sys, threading, time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import browser
from tiger_nb.dataset import load

PEAK = re.compile(r'^(VmRSS|VmHWM):\s+(\d+) kB', re.M)

def component(url):
    "The number of the page's one component."
    got = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    got.request('GET', '/config')
    parts = json.load(got.getresponse())['components']
    return next(c['id'] for c in parts if c['props'].get('elem_id') == 'app')

def asked(link, part, history):
    "Seconds until a list came, and None or what came in its place."
    body = json.dumps(dict(data=dict(part='recommend', state=dict(history=history)), component_id=part,
                           fn_name='show', session_hash='load'))
    begin = time.perf_counter()
    try:
        link.request('POST', '/gradio_api/component_server', body, {'Content-Type': 'application/json'})
        answer = link.getresponse()
        text = answer.read().decode(errors='replace')
        html = json.loads(text).get('html', '') if answer.status == 200 else ''
        why = None if shows(html, history) else told(html) if html else f'status {answer.status}'
    except (OSError, ValueError, http.client.HTTPException) as e: # the next question opens it again
        link.close()
        why = type(e).__name__
    return time.perf_counter() - begin, why

def recommended(link, part, history):
    "The same of a server; 503 is its word for too many at once, and the visitor waits as long as it says."
    begin = time.perf_counter()
    try:
        link.request('POST', '/v1/recommend', json.dumps(dict(history=history)),
                     {'Content-Type': 'application/json'})
        answer = link.getresponse()
        found = json.loads(answer.read())
        why = None if answer.status == 200 and len(found['items']) == 10 else f'status {answer.status}'
        if answer.status == 503: time.sleep(int(answer.headers['Retry-After']))
    except (OSError, ValueError, KeyError, http.client.HTTPException) as e:
        link.close()
        why = type(e).__name__
    return time.perf_counter() - begin, why

SERVE = 'import sys; from tiger_nb.server import tiger_serve; tiger_serve()'

@contextmanager
def served(run, limit=120):
    "A server of a bundle, the one child of this process: its address."
    with socket.create_server(('127.0.0.1', 0)) as s: port = s.getsockname()[1]
    server = subprocess.Popen([sys.executable, '-c', SERVE, '--run', run, '--port', str(port),
                               '--threads', '1'])
    try:
        until = time.time() + limit
        while time.time() < until and server.poll() is None:
            try:
                link = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
                link.request('GET', '/health')
                if link.getresponse().status == 200: break
            except OSError: time.sleep(.2)
        else: raise SystemExit(f'the server of {run} has not started')
        yield f'http://127.0.0.1:{port}'
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)

def shows(html, history): return f'data-history="{",".join(map(str, history))}"' in html  # of this history

def told(html):
    "The sentence of an answer without a list."
    return ' '.join(re.sub('<[^>]*>', ' ', html).split())[:80] or 'an empty answer'

def visitor(url, part, items, until, think, seed, out, ask):
    "Asks, waits, thinks and asks again, to the end."
    rng, link = random.Random(seed), http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    while time.time() < until:
        history = rng.sample(range(items), rng.randint(2, min(12, items)))
        out.append(ask(link, part, history))
        if think: time.sleep(rng.expovariate(1 / think))
    link.close()

def memory():
    "MiB that the demo holds now and has held at most; its process is the one child of this one."
    kB = {'VmRSS': 0, 'VmHWM': 0}
    children = Path(f'/proc/self/task/{os.getpid()}/children')
    for child in children.read_text().split() if children.exists() else ():
        for name, size in PEAK.findall(Path(f'/proc/{child}/status').read_text()): kB[name] += int(size)
    return kB['VmRSS'] / 1024, kB['VmHWM'] / 1024

def measured(url, items, visitors, seconds, think, ask=asked):
    "The answers of all visitors, (seconds, fault) each, and how long it took."
    part, answers, begin = component(url) if ask is asked else None, [], time.time()
    threads = [threading.Thread(target=visitor,
                                args=(url, part, items, begin + seconds, think, i, answers, ask))
               for i in range(visitors)]
    for t in threads: t.start()
    for t in threads: t.join()
    return answers, time.time() - begin

def report(answers, took, visitors, held):
    "The lines that are printed."
    times, faults = sorted(s for s, why in answers if not why), [why for _, why in answers if why]
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))] if times else float('nan')
    busy, faults = faults.count('status 503'), [w for w in faults if w != 'status 503']
    lines = [f'{visitors} visitors, {took:.0f} s: {len(times)} lists, {len(times) / took:.1f} a second, '
             f'{busy} times busy',
             f'p50 {at(.5):.2f} s   p95 {at(.95):.2f} s   slowest {at(1):.2f} s',
             f'{len(faults)} errors' + ''.join(f'\n  {faults.count(w)} times: {w}' for w in {*faults}),
             f'memory {held[0]:.0f} MiB, at most {held[1]:.0f} MiB']
    return '\n'.join(lines)

def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--data', default='sample', help='what `tiger_demo --data` takes')
    p.add_argument('--visitors', type=int, default=50)
    p.add_argument('--seconds', type=float, help='default: 120, of a server 300')
    p.add_argument('--run', help='folder of a bundle: ask its server and not the demo')
    p.add_argument('--think', type=float, default=0, help='mean seconds before the next question')
    how = p.parse_args()
    if how.run:
        n = json.loads((Path(how.run)/'manifest.json').read_text())['n_items']
        with served(how.run) as url:
            answers, took = measured(url, n, how.visitors, how.seconds or 300, how.think, recommended)
            print(report(answers, took, how.visitors, memory()))
        return 0 if answers and not {why for _, why in answers} - {None, 'status 503'} else 1
    with browser.app(how.data, limit=300) as url:
        answers, took = measured(url, load(how.data).n_items, how.visitors, how.seconds or 120, how.think)
        print(report(answers, took, how.visitors, memory()))
    return 0 if answers and not any(why for _, why in answers) else 1

if __name__ == '__main__': raise SystemExit(main())
