"""Debian's python3-websockets as a client. The arguments are the URL of the server, see
server_test.go, and how long a message may be. Prints a line for each case, for the Go
test."""

import asyncio
import sys
import uuid

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

URL, LIMIT = sys.argv[1], int(sys.argv[2])
PATIENCE = 30
SIZES = [0, 1, 125, 126, 127, 1000, 65535, 65536, 300_000, 1 << 20]


def filler(n):
    """n characters that compress, but not to nothing."""
    text = "".join(f'{{"n":{i},"word":"w{i * i % 1009}"}},' for i in range(n // 16 + 1))
    return (text * 2)[:n]


def connect(path, deflate=None, **options):
    extensions = [ClientPerMessageDeflateFactory(**deflate)] if deflate is not None else None
    return websockets.connect(URL + path, compression=None, extensions=extensions, max_size=64 << 20, **options)


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {str(got)[:60]!r}, not {str(want)[:60]!r}")


async def as_server(ident):
    """How the server says that a connection has ended."""
    async with connect("/ask") as ws:
        await ws.send(f"ended {ident}")
        return await ws.recv()


async def end_of(ws):
    """The close frame of the server."""
    try:
        await ws.recv()
    except websockets.ConnectionClosed as e:
        return (e.rcvd.code, e.rcvd.reason) if e.rcvd else (1006, "")
    raise AssertionError("a message, and not the end")


async def echo(deflate):
    async with connect("/echo", deflate) as ws:
        same(bool(ws.extensions), deflate is not None, "compression")
        for kind in (str, str.encode, str):
            for n in SIZES:
                await ws.send(kind(filler(n)))
                same(await ws.recv(), kind(filler(n)), "message")
        await ws.send("κόσμε 🌍")
        same(await ws.recv(), "κόσμε 🌍", "message")


async def fragments(deflate):
    async with connect("/echo", deflate) as ws:
        text = filler(200_000)
        await ws.send(text[at : at + 7001] for at in range(0, len(text), 7001))
        same(await ws.recv(), text, "message")

        async def slowly():
            for at in range(0, len(text), 20_011):
                yield text[at : at + 20_011].encode()
                pong = await ws.ping()
                await pong  # between the fragments

        await ws.send(slowly())
        same(await ws.recv(), text.encode(), "message")


async def pipelined(deflate):
    async with connect("/echo", deflate, max_queue=None) as ws:
        for i in range(300):
            await ws.send(filler(i * 11))
        for i in range(300):
            same(await ws.recv(), filler(i * 11), "message")


async def others(deflate):
    async with connect("/ask", deflate) as ws:
        await ws.send("burst 4 100 700")
        following = [0] * 4
        for _ in range(400):
            who, n, _ = (await ws.recv()).split(" ", 2)
            same(int(n), following[int(who)], f"message of {who}")
            following[int(who)] += 1


async def pings():
    async with connect("/ask") as ws:
        for payload in (b"", b"hello", b"x" * 125):
            await (await ws.ping(payload))
            await ws.send("ping " + payload.decode())  # answered without telling
        await ws.send("burst 1 1 0")
        same(await ws.recv(), "0 0 ", "message")


async def subprotocols():
    for offer, want in ((None, None), (["good"], "good"), (["bad", "good", "best"], "best")):
        async with connect("/echo", subprotocols=offer) as ws:
            same(ws.subprotocol, want, "subprotocol")


async def another_origin():
    try:
        async with connect("/echo", origin="https://elsewhere.example"):
            raise AssertionError("accepted")
    except websockets.InvalidStatusCode as e:
        same(e.status_code, 403, "status")


async def too_big(deflate):
    async with connect("/echo", deflate) as ws:
        await ws.send(filler(LIMIT))
        same(await ws.recv(), filler(LIMIT), "message")
        try:
            await ws.send(filler(LIMIT + 1))
        except websockets.ConnectionClosed:
            pass
        same((await end_of(ws))[0], 1009, "code")


async def abrupt_end_of_the_client():
    ident = uuid.uuid4()
    ws = await connect(f"/echo?id={ident}")
    await ws.send("hello")
    same(await ws.recv(), "hello", "message")
    ws.transport.abort()
    same(await as_server(ident), "1006", "the end")


async def abrupt_end_of_the_server():
    async with connect("/ask") as ws:
        await ws.send("drop")
        same(await end_of(ws), (1006, ""), "the end")


async def close_by_the_client(code, reason):
    ident = uuid.uuid4()
    ws = await connect(f"/echo?id={ident}")
    await ws.close(code, reason)
    same(ws.close_code, code, "code")
    same(await as_server(ident), f"{code} {reason}".strip(), "the end")


async def close_by_the_server(code, reason):
    ident = uuid.uuid4()
    async with connect(f"/ask?id={ident}") as ws:
        await ws.send(f"close {code} {reason}")
        same(await end_of(ws), (code, reason), "the end")
    same(await as_server(ident), f"{code} {reason}".strip(), "the end")


def cases():
    alone = {"server_no_context_takeover": True, "client_no_context_takeover": True}
    settings = {
        "no compression": None,
        "alone": alone,
        "with context": {},
        "with context of the client": {"server_no_context_takeover": True},
        "with context of the server": {"client_no_context_takeover": True},
    }
    for bits in range(8, 16):
        # As the client's, zlib does not take a window of 2^8 bytes.
        settings[f"with windows of 2^{bits}"] = {"server_max_window_bits": bits, "client_max_window_bits": max(bits, 9)}
        settings[f"alone, with windows of 2^{bits}"] = settings[f"with windows of 2^{bits}"] | alone
    for name, deflate in settings.items():
        for what in echo, fragments, pipelined, others:
            yield f"{what.__name__}, {name}", what(deflate)
    yield "pings", pings()
    yield "subprotocols", subprotocols()
    yield "another origin", another_origin()
    yield "message too big", too_big(None)
    yield "message too big, compressed", too_big({})
    yield "abrupt end of the client", abrupt_end_of_the_client()
    yield "abrupt end of the server", abrupt_end_of_the_server()
    for code, reason in (1000, ""), (1001, "off"), (1011, "ünïcode €"), (3000, "bye"), (4999, "r" * 123):
        yield f"close by the client with {code}", close_by_the_client(code, reason)
        yield f"close by the server with {code}", close_by_the_server(code, reason)


async def main():
    n = 0
    for name, case in cases():
        n += 1
        try:
            await asyncio.wait_for(case, PATIENCE)
            print("ok", name)
        except Exception as e:  # noqa: BLE001, whatever it is, the Go test tells
            print(f"not ok {name}: {type(e).__name__} {e}".replace("\n", " | "))
    print(f"1..{n}")


asyncio.run(main())
