'use strict'
const { native } = require('./native')
const { keyText } = require('./keys')
const { rowsOf, readOptions } = require('./rows')
const { Message } = require('./messages')

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

  constructor (database, name, { view, prefix, where, start, position, once, signal }) {
    this.#database = database
    this.#consumer = native.follow(database.handle, name, {
      view, prefix: keyText(prefix), where, start, position
    })
    this.#batches = this.#follow(!!once, signal)
  }

  async * #follow (once, signal) {
    const database = this.#database
    try {
      while (!database.isClosed && !(signal && signal.aborted)) {
        const { rings } = database.entries
        const batch = await native.nextBatch(database.handle, this.#consumer)
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
      if (!database.isClosed) native.endConsumer(this.#consumer)
    }
  }

  acknowledge () { return native.acknowledge(this.#database.handle, this.#consumer) }
  position () { return native.feedPosition(this.#database.handle, this.#consumer) }

  next () { return this.#batches.next() }
  return (value) { return this.#batches.return(value) }
  throw (error) { return this.#batches.throw(error) }
  [Symbol.asyncIterator] () { return this }
}

function changeOf ({ kind, seq, key, body, rows }) {
  const change = { kind, seq, key, rows: rows.map(row => JSON.parse(row)) }
  if (body) change.message = new Message(seq, key, 'live', body)
  return change
}

module.exports = { differences, Feed }
