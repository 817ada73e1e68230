// undici's WebSocket, which is the one of the browsers' standard. The argument is the URL
// of the server, see server_test.go.
import { randomUUID } from 'node:crypto'
import { WebSocket } from 'undici'
import { Inbox, filler, run, same, soon } from './report.mjs'

const url = process.argv[2]
const limit = Number(process.argv[3]) // of a message

/** Connects. What arrives is in the inboxes of the result. */
async function connect(path, options = {}) {
  const ws = new WebSocket(url + path, options)
  ws.binaryType = 'arraybuffer'
  const c = { ws, messages: new Inbox(), ended: new Inbox() }
  ws.onmessage = (e) => c.messages.put(e.data)
  ws.onclose = (e) => c.ended.put({ code: e.code, reason: e.reason, clean: e.wasClean })
  await soon(new Promise((resolve, reject) => {
    ws.onopen = resolve
    ws.onerror = (e) => reject(e.error ?? new Error('refused'))
  }), 'the handshake')
  return c
}

async function expect(c, want) {
  const got = await c.messages.take('a message')
  same(typeof got === 'string', typeof want === 'string', 'text')
  if (typeof want === 'string') same(got, want, 'message')
  else same(Buffer.from(got).toString('latin1'), want.toString('latin1'), 'message')
}

/** How the server says that a connection has ended. */
async function asServer(id) {
  const c = await connect('/ask')
  c.ws.send(`ended ${id}`)
  const how = await c.messages.take('how it has ended')
  c.ws.close()
  return how
}

const cases = [
  ['echo', async () => {
    const c = await connect('/echo')
    same(c.ws.extensions.startsWith('permessage-deflate'), true, 'compression')
    for (const n of [0, 1, 125, 126, 127, 1000, 65535, 65536, 300_000, 1 << 20]) {
      c.ws.send(filler(n))
      await expect(c, filler(n))
      c.ws.send(Buffer.from(filler(n)))
      await expect(c, Buffer.from(filler(n)))
    }
    c.ws.send('κόσμε 🌍')
    await expect(c, 'κόσμε 🌍')
    c.ws.close(1000)
    same((await c.ended.take('the end')).clean, true, 'clean')
  }],
  ['pipelined', async () => {
    const c = await connect('/echo')
    for (let i = 0; i < 500; i++) c.ws.send(filler(i * 11))
    for (let i = 0; i < 500; i++) await expect(c, filler(i * 11))
    c.ws.close()
  }],
  ['messages of other goroutines, and pings between', async () => {
    const c = await connect('/ask')
    c.ws.send('ping hello') // undici answers without telling
    c.ws.send('burst 4 100 700')
    const next = [0, 0, 0, 0]
    for (let i = 0; i < 400; i++) {
      const [who, n] = (await c.messages.take('a message')).split(' ').map(Number)
      same(n, next[who]++, `message of ${who}`)
    }
    c.ws.close()
  }],
  ['subprotocols', async () => {
    for (const [protocols, want] of [[[], ''], [['good'], 'good'], [['bad', 'good', 'best'], 'best']]) {
      const c = await connect('/echo', { protocols })
      same(c.ws.protocol, want, 'subprotocol')
      c.ws.close()
    }
  }],
  ['another origin', async () => {
    await connect('/echo', { headers: { origin: 'https://elsewhere.example' } }).then(
      () => same('accepted', 'refused', 'another origin'), () => {})
  }],
  ['message too big', async () => {
    const c = await connect('/echo')
    c.ws.send(filler(limit))
    await expect(c, filler(limit))
    c.ws.send(filler(limit + 1))
    same((await c.ended.take('the end')).code, 1009, 'code')
  }],
  ['abrupt end of the server', async () => {
    const c = await connect('/ask')
    c.ws.send('drop')
    const end = await c.ended.take('the end')
    same(end.code, 1006, 'code')
    same(end.clean, false, 'clean')
  }],
]
for (const [code, reason] of [[1000, ''], [3000, 'ünïcode €'], [4999, 'r'.repeat(123)]]) {
  cases.push([`close by the client with ${code}`, async () => {
    const id = randomUUID()
    const c = await connect(`/echo?id=${id}`)
    c.ws.close(code, reason)
    const end = await c.ended.take('the end')
    same(`${end.code} ${end.clean}`, `${code} true`, 'the end')
    same(await asServer(id), `${code} ${reason}`.trim(), 'the end')
  }])
}
for (const [code, reason] of [[1000, ''], [1001, 'off'], [1011, 'ünïcode €'], [4999, 'r'.repeat(123)]]) {
  cases.push([`close by the server with ${code}`, async () => {
    const id = randomUUID()
    const c = await connect(`/ask?id=${id}`)
    c.ws.send(`close ${code} ${reason}`)
    const end = await c.ended.take('the end')
    same(`${end.code} ${end.reason} ${end.clean}`, `${code} ${reason} true`, 'the end')
    same(await asServer(id), `${code} ${reason}`.trim(), 'the end')
  }])
}

await run(cases)
