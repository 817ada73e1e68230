// Frames that no library sends, written to the socket below ws.
import { same } from './report.mjs'

const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** A frame. The first byte is as it stands on the wire; length may lie. */
function frame(first, payload = '', { mask = true, length } = {}) {
  const data = Buffer.from(payload)
  const bit = mask ? 0x80 : 0
  const head = [first]
  if (length) head.push(bit | 127, ...length)
  else if (data.length < 126) head.push(bit | data.length)
  else head.push(bit | 126, data.length >> 8, data.length & 0xff)
  if (!mask) return Buffer.concat([Buffer.from(head), data])
  return Buffer.concat([Buffer.from(head), key, data.map((b, i) => b ^ key[i % 4])])
}

const closing = (code, reason = '') => {
  const data = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)])
  data.writeUInt16BE(code)
  return data
}

const utf8 = (...bytes) => Buffer.from(bytes)
const hello = frame(0x81, 'Hello')

/** What is wrong, the frames, and the code with which the server has to end it. */
const wrong = [
  ['RSV1 without compression', [frame(0xc1, 'x')], 1002],
  ['RSV2', [frame(0xa1, 'x')], 1002],
  ['RSV3', [frame(0x91, 'x')], 1002],
  ['RSV3 in a ping', [frame(0x99)], 1002],
  ['all reserved bits', [frame(0xf2, 'x')], 1002],
  ['text without a mask', [frame(0x81, 'x', { mask: false })], 1002],
  ['close without a mask', [frame(0x88, closing(1000), { mask: false })], 1002],
  ['opcode 3', [frame(0x83)], 1002],
  ['opcode 15', [frame(0x8f, 'x')], 1002],
  ['continuation of nothing', [frame(0x80, 'x')], 1002],
  ['text within a text', [frame(0x01, 'x'), frame(0x81, 'y')], 1002],
  ['ping in fragments', [frame(0x09, 'x')], 1002],
  ['ping of 126 bytes', [frame(0x89, 'x'.repeat(126))], 1002],
  ['length with the top bit', [frame(0x82, 'x', { length: [0x80, 0, 0, 0, 0, 0, 0, 1] })], 1002],
  ['length of 1 in eight bytes', [frame(0x82, 'x', { length: [0, 0, 0, 0, 0, 0, 0, 1] })], 1002],
  ['length of 2^63-1', [frame(0x82, 'x', { length: [0x7f, 255, 255, 255, 255, 255, 255, 255] })], 1009],
  ['length of 1 GiB', [frame(0x82, 'x', { length: [0, 0, 0, 0, 0x40, 0, 0, 0] })], 1009],
  ['text that is not UTF-8', [frame(0x81, utf8(0xff))], 1007],
  ['text cut at its end', [frame(0x81, utf8(0xe2, 0x82))], 1007],
  ['surrogate over two fragments', [frame(0x01, utf8(0xed)), frame(0x80, utf8(0xa0, 0x80))], 1007],
  ['overlong over three fragments', [frame(0x01, utf8(0x61, 0xe0)), frame(0x00, utf8(0x80)), frame(0x00, utf8(0xaf))], 1007],
  ['over U+10FFFF, no end of the message', [frame(0x01, utf8(0xf4)), frame(0x00, utf8(0x90))], 1007],
  ['close of one byte', [frame(0x88, 'x')], 1002],
  ['close with a reason that is not UTF-8', [frame(0x88, Buffer.concat([closing(1000), utf8(0xc3)]))], 1007],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map(
    (code) => [`close with ${code}`, [frame(0x88, closing(code))], 1002]),
]

/** What is unusual, the frames, and the messages that come of it. */
const unusual = [
  ['fragments with pings between', [
    frame(0x01, 'frag'), frame(0x89, 'one'), frame(0x00, 'ment'), frame(0x89, 'two'), frame(0x00), frame(0x80, 'ed'),
  ], ['fragmented'], ['one', 'two']],
  ['a character in four fragments', [
    frame(0x01, utf8(0xf0)), frame(0x00, utf8(0x9f)), frame(0x89, utf8(0xff)), frame(0x00, utf8(0x8c)), frame(0x80, utf8(0x8d)),
  ], ['🌍'], [utf8(0xff).toString()]],
  ['pongs that nobody asked for', [frame(0x8a, 'what'), hello, frame(0x8a), hello], ['Hello', 'Hello'], []],
  ['a key of zeros', [Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])], ['hi'], []],
]

/** Sends frames byte by byte, each in a packet of its own. */
async function dribble(socket, bytes) {
  for (const b of bytes) await new Promise((resolve) => socket.write(Buffer.from([b]), resolve))
}

/** The cases. */
export function raw(connect, expect) {
  const cases = []
  for (const slow of [false, true]) {
    const write = (c, frames) => slow ? dribble(c.ws._socket, Buffer.concat(frames)) : c.ws._socket.write(Buffer.concat(frames))
    const how = slow ? ', byte by byte' : ''
    for (const [name, frames, code] of wrong) {
      cases.push([name + how, async () => {
        const c = await connect('/echo', { perMessageDeflate: false })
        c.ws._socket.setNoDelay(true)
        await write(c, [hello, ...frames])
        await expect(c, 'Hello') // what came before is delivered
        same((await c.ended.take('the end')).code, code, 'code')
      }])
    }
    for (const [name, frames, messages, pongs] of unusual) {
      cases.push([name + how, async () => {
        const c = await connect('/echo', { perMessageDeflate: false })
        c.ws._socket.setNoDelay(true)
        await write(c, frames)
        for (const p of pongs) same(await c.pongs.take('a pong'), p, 'pong')
        for (const m of messages) await expect(c, m)
        c.ws.close(1000)
        same((await c.ended.take('the end')).code, 1000, 'code')
      }])
    }
  }
  return cases
}
