'use strict'
// Async iterators over what the addon gives in pieces.
const { native } = require('./native')

/**
 * Walks pieces: `next()` answers with {items, done}. The piece behind the one that is walked is fetched
 * meanwhile, and no other: whoever is slow keeps two in memory.
 */
async function * items (next) {
  let piece = await next()
  while (true) {
    const following = piece.done ? undefined : next()
    if (following) following.catch(() => {}) // Told when it is awaited, if the loop is not left before.
    yield * piece.items
    if (!following) return
    piece = await following
  }
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
    if (this.#rings > rings || this.#isEnded || (signal && signal.aborted)) return Promise.resolve()
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

module.exports = { items, Bell }
