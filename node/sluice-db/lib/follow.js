'use strict'
const { native } = require('./native')
const { keyText } = require('./keys')
const { rowsOf, readOptions } = require('./rows')
const { Message } = require('./messages')
const { ended } = require('./errors')

/** What commits make of a part of a view. Ends when the database is closed. */
async function * differences (database, view, { exact, prefix, from, to, signal }) {
  const handle = database.handle
  const subscriber = native.subscribe(handle, view, readOptions({ exact, prefix, from, to }))
  try {
    while (!database.isClosed && !(signal && signal.aborted)) {
      const rings = database.entries.rings // Asked for first, so that none is missed.
      const difference = await native.nextDifference(handle, subscriber)
      if (difference) {
        const { at, fresh, gone, added } = difference
        yield { at, fresh, gone: rowsOf(gone), added: rowsOf(added) }
      } else {
        await database.entries.rungSince(rings, signal)
      }
    }
  } catch (error) {
    if (error.code !== 'closed') throw error
  } finally {
    if (!database.isClosed) native.endSubscriber(subscriber)
  }
}

class Feed {
  #database
  #consumer
  #batches
  #turn = Promise.resolve() // Of the calls: a feed is used by one at a time.
  #isOver = false
  #leaving = new AbortController()

  constructor (database, name, { view, prefix, where, start, position, once, signal }) {
    this.#database = database
    this.#consumer = native.follow(database.handle, name, {
      view, prefix: keyText(prefix), where, start, position
    })
    this.#batches = this.#follow(!!once, this.#leaving.signal)
    if (signal) this.#leaveWhen(signal)
  }

  #leaveWhen (signal) {
    const leave = () => this.#leaving.abort()
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    this.#leaving.signal.addEventListener('abort', () => signal.removeEventListener('abort', leave), { once: true })
  }

  async * #follow (once, signal) {
    const database = this.#database
    try {
      while (!database.isClosed && !signal.aborted) {
        const { rings } = database.entries
        const batch = await this.#inTurn(native.nextBatch)
        if (batch.changes.length > 0) {
          yield { changes: batch.changes.map(changeOf), position: batch.position }
        } else if (once) {
          return
        } else {
          await database.entries.rungSince(rings, signal)
        }
      }
    } catch (error) {
      if (error.code !== 'closed') throw error
    } finally {
      await this.#end()
    }
  }

  async #inTurn (call) {
    if (this.#isOver) throw ended('the feed has ended: acknowledge what it told inside its loop')
    const before = this.#turn
    let end
    this.#turn = new Promise(resolve => { end = resolve })
    try {
      await before
      return await call(this.#database.handle, this.#consumer)
    } finally {
      end()
    }
  }

  /** What was asked for before is done first. Then others may follow by its name. */
  async #end () {
    if (this.#isOver) return
    this.#isOver = true
    this.#leaving.abort()
    await this.#turn
    if (!this.#database.isClosed) native.endConsumer(this.#consumer)
  }

  acknowledge () { return this.#inTurn(native.acknowledge) }
  position () { return this.#inTurn(native.feedPosition) }

  next () { return this.#batches.next() }

  async return (value) {
    this.#leaving.abort() // It may wait for something to come.
    const returned = await this.#batches.return(value)
    await this.#end() // Where nothing was asked for yet, the generator has not begun.
    return returned
  }

  throw (error) { return this.#batches.throw(error) }
  [Symbol.asyncIterator] () { return this }
}

function changeOf ({ kind, seq, key, body, rows }) {
  const change = { kind, seq, key, rows: rows.map(row => JSON.parse(row)) }
  if (body) change.message = new Message(seq, key, 'live', body)
  return change
}

module.exports = { differences, Feed }
