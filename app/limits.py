"What a public page needs: answers in batches, a queue that says it is full, sizes, and who may ask."
import os, queue, threading
from concurrent.futures import Future, TimeoutError

from starlette.exceptions import HTTPException

from tiger_nb.recommender import InputError

LETTERS, ITEMS, BODY = 200, 200, 100_000   # of a search, in a history, bytes of a request
WAITING, PATIENCE = 64, 30                 # requests that may wait, seconds
TOLD = 2000                                # test users whose lists are compared until those of all are made
BUSY = 'Too many visitors are waiting for an answer; try again in a few seconds'

class Busy(InputError):
    "The queue is full."

class Batcher:
    "One thread that answers what many ask: questions of the same kind that wait are answered together."
    def __init__(self,
        answer,              # (kind, list of questions)->list of answers
        most:int=32,         # questions answered together
        waiting:int=WAITING, # questions that may wait
    ):
        self.answer, self.most = answer, most
        self.questions, self.sizes = queue.Queue(waiting), []
        threading.Thread(target=self._work, daemon=True).start()

    def ask(self, kind, question):
        "The answer to one question. Raises `Busy` when too many wait."
        future = Future()
        try: self.questions.put_nowait((kind, question, future))
        except queue.Full: raise Busy(BUSY) from None
        try: return future.result(PATIENCE)
        except TimeoutError: raise Busy(BUSY) from None

    def _work(self):
        while True:
            some = [self.questions.get()]
            while len(some) < self.most and not self.questions.empty(): some.append(self.questions.get())
            for kind in dict.fromkeys(k for k, _, _ in some):
                self._answer(kind, [(q, f) for k, q, f in some if k == kind])

    def _answer(self, kind, some):
        self.sizes = [*self.sizes[-999:], len(some)]
        try: answers = self.answer(kind, [q for q, _ in some])
        except Exception as e: answers = [e] * len(some)
        for (_, future), a in zip(some, answers):
            if isinstance(a, Exception): future.set_exception(a)
            else: future.set_result(a)

class Turns:
    "One piece of work at a time; a few may wait, the others are told."
    def __init__(self, waiting=WAITING): self.lock, self.room = threading.Lock(), threading.Semaphore(waiting)

    def __enter__(self):
        if not self.room.acquire(blocking=False): raise Busy(BUSY)
        if self.lock.acquire(timeout=PATIENCE): return self
        self.room.release()
        raise Busy(BUSY)

    def __exit__(self, *_):
        self.lock.release()
        self.room.release()

# ---- who may ask --------
POLICY = ("default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' "
          "'unsafe-inline'; "
          "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; "
          "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors ")

def local_hosts(): return ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0']

class Guard:
    "ASGI: foreign hosts and origins, uploads and large bodies are refused; answers carry security headers."
    def __init__(self, app,
        hosts=None,  # names under which the page may be asked for; None: this machine's; ['*']: all
    ):
        self.app, self.hosts = app, hosts or local_hosts()
        frames = '*' if '*' in self.hosts else "'self' http://127.0.0.1:* http://localhost:*"
        self.headers = [(b'content-security-policy', (POLICY + frames).encode()),
                        (b'x-content-type-options', b'nosniff'), (b'referrer-policy', b'no-referrer'),
                        (b'permissions-policy', b'camera=(), microphone=(), geolocation=()')]

    def known(self, address):
        "Whether a Host or Origin is one of ours."
        if '*' in self.hosts: return True
        name = address.split('://')[-1].split('/')[0]
        name = name.rsplit(':', 1)[0] if not name.endswith(']') else name
        return name in self.hosts

    def refused(self, scope):
        "(status, sentence) for a request that is not answered, else None."
        head = {k.decode().lower(): v.decode('latin-1') for k, v in scope.get('headers', [])}
        if not self.known(head.get('host', '')): return 403, 'This address is not served under that name.'
        origin = head.get('origin', '')
        if origin and origin != 'null' and not self.known(origin):
            return 403, 'Another page may not ask this one.'
        path = scope.get('path', '')
        if '/upload' in path: return 403, 'Uploads are off.'
        size = head.get('content-length', '0')
        if not size.isdecimal() or int(size[:18]) > BODY: return 413, 'The request is too large.'

    async def __call__(self, scope, receive, send):
        if scope['type'] not in ('http', 'websocket'): return await self.app(scope, receive, send)
        why = self.refused(scope)
        async def guarded(message):
            if message['type'] == 'http.response.start':
                message = message | {'headers': [*message.get('headers', []), *self.headers]}
            await send(message)
        got = 0
        async def counted():   # what says no length is counted as it comes
            nonlocal got
            message = await receive()
            got += len(message.get('body', b''))
            if got > BODY: raise HTTPException(413, 'The request is too large.')
            return message
        if not why: return await self.app(scope, counted if scope['type'] == 'http' else receive, guarded)
        if scope['type'] == 'websocket': return await send({'type': 'websocket.close', 'code': 1008})
        kind = [(b'content-type', b'text/plain; charset=utf-8')]
        await guarded({'type': 'http.response.start', 'status': why[0], 'headers': kind})
        await send({'type': 'http.response.body', 'body': why[1].encode()})

def served_hosts():
    "The names under which the page is served: TIGER_NB_HOSTS (by commas), all of them in a Space."
    named = [h.strip() for h in os.environ.get('TIGER_NB_HOSTS', '').split(',') if h.strip()]
    return named or (['*'] if os.environ.get('SPACE_ID') else local_hosts())
