'use strict'
// A flumelog on a Sluice database. A seq is the database's: messages and changes to the past are
// numbered together from 1 on, so that there are gaps where the changes are.
//
//     const log = require('flumelog-sluice')('forum/log', { codec })
//
// Besides what every flumelog has it deletes (`del`), erases, replaces, has messages derived again
// (`rederive`), and gives access to the database (`sluice`), which may have other users in the same program.

const createObservable = require('./lib/observable')
const createStream = require('./lib/stream')
const openDatabase = require('./lib/place')
const readOptions = require('./lib/options')
const Past = require('./lib/past')

// Under this name a log is found by its `since`, which FlumeDB hands on to the views as it is.
const symbol = Symbol.for('flumelog-sluice')

module.exports = function createLog (filename, ...args) {
  const options = readOptions(args)
  const { codec } = options
  const since = createObservable()
  const past = new Past(since)
  const writes = new Set() // Under way.
  let isClosed = false
  let closed = null // A promise, once it is being closed.

  const { database, release } = openDatabase(filename, options)
  const opened = database.then(database => {
    past.follow(database)
    return database
  })

  const log = {
    filename,
    since,
    methods: { del: 'async' },
    append,
    get,
    stream,
    del,
    erase,
    replace,
    rederive,
    close,
    sluice
  }
  // For the views of sluice-flumedb and for it itself, not for applications.
  since[symbol] = {
    log,
    opened,
    database: () => past.database,
    since,
    signals: past.signals,
    decode,
    closedError,
    generation: () => past.generation,
    lookForChanges: () => isClosed || past.lookForChanges(),
    isLive: seq => past.isLive(seq),
    newestLive: () => past.newestLive()
  }
  return log

  function append (value, cb) {
    answer(write(() => appendAll(Array.isArray(value) ? value : [value])), cb)
  }

  async function appendAll (values) {
    const messages = values.map(encode)
    const database = await opened
    if (messages.length === 0) return since.value
    return past.append(() => options.sluice.scuttlebutt ? offer(database, messages) : appendTo(database, messages))
  }

  async function appendTo (database, messages) {
    return await database.appendAll(messages) + messages.length - 1
  }

  // What a blocked feed says stays out, and the rest of the batch does not suffer for it: programs that
  // append what others say have no better idea of a failure than to end.
  async function offer (database, messages) {
    const { first, outcomes } = await database.offer(messages)
    const count = outcomes.filter(outcome => outcome === 'appended').length
    return count === 0 ? since.value : first + count - 1
  }

  function encode (value) {
    const encoded = codec.encode(value)
    const message = { value: Buffer.isBuffer(encoded) ? encoded : Buffer.from(encoded) }
    const key = options.key && options.key(value)
    return typeof key === 'string' && key !== '' ? { ...message, key } : message
  }

  function decode (message) {
    const value = decodeBody(message)
    return options.read ? options.read(value, () => stored(message.seq)) : value
  }

  function decodeBody (message) {
    if (options.isJson) return message.value
    return codec.decode(codec.buffer === false ? message.body.toString() : message.body)
  }

  // undefined while a message is being appended.
  function stored (seq) {
    const message = past.database.getNow(seq, { stored: true })
    return message && message.state === 'live' ? decodeBody(message) : undefined
  }

  function get (seq, cb) {
    // At once where that is possible: a view that reads many messages waits for none of them.
    if (past.database && !isClosed) return getNow(seq, cb)
    if (isClosed) return process.nextTick(cb, closedError())
    answer(opened, error => error ? cb(error) : get(seq, cb))
  }

  function getNow (seq, cb) {
    const found = find(seq)
    if (found.error) return found.isGone ? cb(found.error, -1) : cb(found.error)
    cb(null, found.value)
  }

  function find (seq) {
    try {
      const message = isSeq(seq) ? past.database.getNow(seq) : undefined
      if (!message || message.state === 'change') return { error: notFound(seq) }
      if (message.state === 'live') return { value: decode(message) }
      return { error: failure('item has been deleted', 'flumelog:deleted'), isGone: true }
    } catch (error) {
      return { error }
    }
  }

  function stream (opts) {
    if (isClosed) return closedStream
    return createStream(since[symbol], opts)
  }

  function del (seqs, cb) {
    answer(write(() => change('gone', 'delete', seqs)), cb)
  }

  // As del, but no file has the bytes afterwards. `opts`: ChangeOptions of sluice-db.
  function erase (seqs, opts, cb) {
    if (typeof opts === 'function') return erase(seqs, undefined, opts)
    answer(write(() => change('gone', 'erase', seqs, opts)), cb)
  }

  // `kind`: of past.js.
  async function change (kind, what, which, opts) {
    const seqs = Array.isArray(which) ? which : [which]
    const database = await opened
    seqs.forEach(checkIsMessage)
    if (seqs.length === 0) return
    await past.make(kind, seqs, async () => (await database[what](seqs, opts)).at)
  }

  function checkIsMessage (seq) {
    const entry = isSeq(seq) ? past.database.getNow(seq) : undefined
    if (!entry || entry.state === 'change') throw notFound(seq)
  }

  function replace (seq, value, cb) {
    answer(write(() => replaceOne(seq, value)), cb)
  }

  async function replaceOne (seq, value) {
    const { value: body } = encode(value)
    const database = await opened
    checkIsMessage(seq)
    await past.make('changed', [seq], async () => (await database.replace(seq, body)).at)
  }

  /** Every view is given these messages again: a mapper, or who else is asked, says something else of them now. */
  function rederive (seqs, cb) {
    answer(write(() => change('changed', 'rederive', seqs)), cb)
  }

  function sluice (cb) {
    if (!cb) return opened
    answer(opened, cb)
  }

  // Closing waits for what was asked for before, and nothing can be asked for after it.
  async function write (work) {
    if (isClosed) throw closedError()
    const done = work()
    const settled = done.then(ignore, ignore)
    writes.add(settled)
    settled.then(() => writes.delete(settled))
    return done
  }

  function close (cb) {
    if (!isClosed) past.stop()
    isClosed = true
    closed = closed || closeDatabase()
    answer(closed, cb)
  }

  async function closeDatabase () {
    await Promise.all(writes)
    await release()
  }

  function closedError () {
    return failure('the flumelog is closed', 'flumelog:closed')
  }

  function closedStream (abort, cb) {
    cb(abort || closedError())
  }
}

module.exports.symbol = symbol

/** The inside of the log that has this `since`; undefined for other logs. */
module.exports.inside = function (since) {
  return since && since[symbol]
}

// Hands on to a callback, which is out of the promise before it runs, so that what it throws is thrown.
function answer (promise, cb) {
  promise.then(
    value => process.nextTick(cb || ignore, null, value),
    error => process.nextTick(cb || ignore, error)
  )
}

function ignore () {}

function isSeq (value) {
  return Number.isSafeInteger(value) && value > 0
}

function notFound (seq) {
  return failure('there is no message ' + seq, 'flumelog:notfound')
}

function failure (message, code) {
  return Object.assign(new Error(message), { code })
}
