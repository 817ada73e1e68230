// What the scripts have in common: how a case is run, and told to the Go test.
import assert from 'node:assert/strict'

const patience = 30_000

/** Waits for a promise, but not for ever. */
export function soon(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A queue of what has arrived. */
export class Inbox {
  #values = []
  #waiting = []

  put(value) {
    const wakes = this.#waiting.shift()
    if (wakes) wakes(value)
    else this.#values.push(value)
  }

  take(what) {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift())
    return soon(new Promise((resolve) => this.#waiting.push(resolve)), what)
  }
}

/** n bytes of text that compresses, but not to nothing. */
export function filler(n) {
  let text = ''
  for (let i = 0; text.length < n; i++) text += `{"n":${i},"word":"w${(i * i) % 1009}"},`
  return text.slice(0, n)
}

/** assert.equal, without a megabyte of text when it fails. */
export function same(got, want, what) {
  const short = (v) => (typeof v === 'string' ? `${JSON.stringify(v.slice(0, 60))} (${v.length})` : String(v))
  if (got !== want) assert.fail(`${what}: ${short(got)}, not ${short(want)}`)
}

/** Runs the cases in turn: one line each, and how many there were. */
export async function run(cases) {
  for (const [name, f] of cases) {
    try {
      await f()
      console.log(`ok ${name}`)
    } catch (e) {
      console.log(`not ok ${name}: ${String(e?.message ?? e).replaceAll('\n', ' | ')}`)
    }
  }
  console.log(`1..${cases.length}`)
  process.exit(0)
}
