'use strict'
// Async iterators over what the addon gives in pieces.
const { native } = require('./native')

/**
 * Walks pieces: `next()` answers with {items, done}. The piece behind the one that is walked is fetched meanwhile, and
 * no other: whoever is slow keeps two in memory. `end()` is called in the end, when nothing is fetched any more: what
 * is read from pins files, and an erasure waits for it. Ends when the signal is aborted.
 */
async function * items (next, end, signal) {
  let following = next()
  try {
    while (following && !isAborted(signal)) {
      const piece = await following
      following = piece.done ? undefined : next()
      if (following) following.catch(() => {}) // Told when it is awaited, if the loop is not left before.
      yield * (signal ? untilAborted(piece.items, signal) : piece.items)
    }
  } finally {
    if (following) await following.catch(() => {})
    end()
  }
}

function * untilAborted (items, signal) {
  for (const item of items) {
    if (signal.aborted) return
    yield item
  }
}

function isAborted (signal) {
  return signal !== undefined && signal.aborted
}

/** Wakes whoever waits for something to have come. */
class Bell {
  #waiting = new Set()
  #rings = 0
  #isEnded = false

  /** How often it has rung: for whoever looks before he waits. */
  get rings () { return this.#rings }

  ring () {
    this.#rings++
    for (const wake of [...this.#waiting]) wake()
  }

  /** Nobody waits any more. */
  end () {
    this.#isEnded = true
    this.ring()
  }

  /** Resolves when it has rung more often than that, has ended, or the signal is aborted. */
  rungSince (rings, signal) {
    if (this.#rings > rings || this.#isEnded || isAborted(signal)) return Promise.resolve()
    native.keepAlive() // Whoever waits is something to live for.
    return new Promise(resolve => {
      const wake = () => {
        if (!this.#waiting.delete(wake)) return
        native.letDie()
        if (signal) signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      if (signal) signal.addEventListener('abort', wake, { once: true })
    })
  }
}

module.exports = { items, isAborted, Bell }
