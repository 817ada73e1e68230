// ws as a client, and through its socket frames that it would not send. The argument is
// the URL of the server, see server_test.go.
import { randomUUID } from 'node:crypto'
import WebSocket from 'ws'
import { Inbox, filler, run, same, soon } from './report.mjs'
import { raw } from './raw.mjs'

const url = process.argv[2]
const limit = Number(process.argv[3]) // of a message

/** Connects. What arrives is in the inboxes of the result. */
export async function connect(path, options = {}, protocols = []) {
  const ws = new WebSocket(url + path, protocols, { maxPayload: 64 << 20, ...options })
  const c = { ws, messages: new Inbox(), pings: new Inbox(), pongs: new Inbox(), ended: new Inbox() }
  ws.on('message', (data, isBinary) => c.messages.put({ data, isBinary }))
  ws.on('ping', (data) => c.pings.put(String(data)))
  ws.on('pong', (data) => c.pongs.put(String(data)))
  ws.on('close', (code, reason) => c.ended.put({ code, reason: String(reason) }))
  await soon(new Promise((resolve, reject) => {
    ws.on('open', resolve)
    ws.on('error', reject)
  }), 'the handshake')
  return c
}

async function expect(c, text, isBinary = false) {
  const m = await c.messages.take('a message')
  same(m.isBinary, isBinary, 'binary')
  same(m.data.toString('latin1'), Buffer.from(text).toString('latin1'), 'message')
}

/** How the server says that a connection has ended. */
async function asServer(id) {
  const c = await connect('/ask')
  c.ws.send(`ended ${id}`)
  const m = await c.messages.take('how it has ended')
  c.ws.close()
  return String(m.data)
}

const sizes = [0, 1, 125, 126, 127, 1000, 65535, 65536, 300_000, 1 << 20]

// threshold 0 has ws compress everything, as it does with a context only if told so.
const offers = {
  'no compression': false,
  'alone': { threshold: 0, clientNoContextTakeover: true, serverNoContextTakeover: true },
  'with context': { threshold: 0 },
  'with context of the client': { threshold: 0, serverNoContextTakeover: true },
  'with context of the server': { threshold: 0, clientNoContextTakeover: true },
}
for (let bits = 8; bits <= 15; bits++) {
  // zlib turns a window of 2^8 bytes into one of 2^9 when it compresses, so ws must not have to.
  offers[`with windows of 2^${bits}`] = { threshold: 0, serverMaxWindowBits: bits, clientMaxWindowBits: Math.max(bits, 9) }
}

const cases = []
for (const [name, perMessageDeflate] of Object.entries(offers)) {
  cases.push([`echo, ${name}`, async () => {
    const c = await connect('/echo', { perMessageDeflate })
    same(c.ws.extensions !== '', Boolean(perMessageDeflate), 'compression')
    for (let round = 0; round < 3; round++) {
      for (const n of sizes) {
        c.ws.send(round % 2 ? Buffer.from(filler(n)) : filler(n))
        await expect(c, filler(n), round % 2 === 1)
      }
    }
    c.ws.send('κόσμε 🌍')
    await expect(c, 'κόσμε 🌍')
    c.ws.close(1000)
    same((await c.ended.take('the end')).code, 1000, 'code')
  }])
  cases.push([`fragments, ${name}`, async () => {
    const c = await connect('/echo', { perMessageDeflate })
    const text = filler(200_000)
    for (let at = 0; at < text.length; at += 7001) {
      c.ws.send(text.slice(at, at + 7001), { fin: at + 7001 >= text.length })
      if (at % 3 === 0) c.ws.ping(String(at))
    }
    for (let at = 0; at < text.length; at += 7001) {
      if (at % 3 === 0) same(await c.pongs.take('a pong'), String(at), 'pong')
    }
    await expect(c, text)
    c.ws.terminate()
  }])
  cases.push([`pipelined, ${name}`, async () => {
    const c = await connect('/echo', { perMessageDeflate })
    for (let i = 0; i < 500; i++) c.ws.send(filler(i * 11))
    for (let i = 0; i < 500; i++) await expect(c, filler(i * 11))
    c.ws.terminate()
  }])
  cases.push([`messages of other goroutines, ${name}`, async () => {
    const c = await connect('/ask', { perMessageDeflate })
    c.ws.send('burst 4 100 700')
    const next = [0, 0, 0, 0]
    for (let i = 0; i < 400; i++) {
      const [who, n] = String((await c.messages.take('a message')).data).split(' ').map(Number)
      same(n, next[who]++, `message of ${who}`)
    }
    c.ws.terminate()
  }])
}

cases.push(
  ['pings both ways', async () => {
    const c = await connect('/ask')
    for (const p of ['', 'hello', 'x'.repeat(125)]) {
      c.ws.ping(p)
      same(await c.pongs.take('a pong'), p, 'pong')
      c.ws.send(`ping ${p}`)
      same(await c.pings.take('a ping'), p, 'ping')
    }
    c.ws.terminate()
  }],
  ['subprotocols', async () => {
    for (const [offer, want] of [[[], ''], [['good'], 'good'], [['bad', 'good', 'best'], 'best']]) {
      const c = await connect('/echo', {}, offer)
      same(c.ws.protocol, want, 'subprotocol')
      c.ws.terminate()
    }
    await connect('/echo', {}, ['bad']).then( // ws insists on an answer
      () => same('accepted', 'refused', 'no subprotocol in common'),
      (e) => same(e.message, 'Server sent no subprotocol', 'error'))
  }],
  ['another origin', async () => {
    await connect('/echo', { origin: 'https://elsewhere.example' }).then(
      () => same('accepted', 'refused', 'another origin'),
      (e) => same(e.message, 'Unexpected server response: 403', 'error'))
  }],
  ['message too big', async () => {
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      const c = await connect('/echo', { perMessageDeflate })
      c.ws.send(filler(limit))
      await expect(c, filler(limit))
      c.ws.send(filler(limit + 1))
      same((await c.ended.take('the end')).code, 1009, 'code')
    }
  }],
  ['abrupt end of the client', async () => {
    const id = randomUUID()
    const c = await connect(`/echo?id=${id}`)
    c.ws.send('hello')
    await expect(c, 'hello')
    c.ws.terminate()
    same(await asServer(id), '1006', 'the end')
  }],
  ['abrupt end of the server', async () => {
    const c = await connect('/ask')
    c.ws.send('drop')
    same((await c.ended.take('the end')).code, 1006, 'code')
  }],
  ['end within a frame', async () => {
    const id = randomUUID()
    const c = await connect(`/echo?id=${id}`)
    c.ws._socket.end(Buffer.from([0x82, 0xfe, 0xff, 0xff, 1, 2, 3, 4, 5]))
    same((await c.ended.take('the end')).code, 1006, 'code')
    same(await asServer(id), '1006', 'the end')
  }],
)
for (const [code, reason] of [[1000, ''], [1001, 'off'], [1011, 'ünïcode €'], [3000, 'bye'], [4999, 'r'.repeat(123)]]) {
  cases.push([`close by the client with ${code}`, async () => {
    const id = randomUUID()
    const c = await connect(`/echo?id=${id}`)
    c.ws.close(code, reason)
    same((await c.ended.take('the end')).code, code, 'code')
    same(await asServer(id), `${code} ${reason}`.trim(), 'the end')
  }], [`close by the server with ${code}`, async () => {
    const id = randomUUID()
    const c = await connect(`/ask?id=${id}`)
    c.ws.send(`close ${code} ${reason}`)
    const end = await c.ended.take('the end')
    same(`${end.code} ${end.reason}`, `${code} ${reason}`, 'the end')
    same(await asServer(id), `${code} ${reason}`.trim(), 'the end')
  }])
}
cases.push(['close by the client without a code', async () => {
  const id = randomUUID()
  const c = await connect(`/echo?id=${id}`)
  c.ws.close()
  same((await c.ended.take('the end')).code, 1005, 'code')
  same(await asServer(id), '1005', 'the end')
}])

await run([...cases, ...raw(connect, expect)])
