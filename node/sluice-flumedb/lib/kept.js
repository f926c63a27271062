'use strict'
// A view that the database keeps, as FlumeDB wants views: below this package or below flumedb itself.

const EventEmitter = require('events')
const flumelogSluice = require('flumelog-sluice')
const createObservable = require('flumelog-sluice/observable')
const { unknown } = require('./keys')

const closePatienceMs = 1000

/**
 * `log`, `name`: what a createView is called with. `rowsOf(value, seq)` gives the rows of a message, as
 * keys of the database. The view is there when `added` of what this answers resolves.
 */
module.exports = function keepView (log, name, version, rowsOf) {
  const inside = flumelogSluice.inside(log.since)
  if (!inside) throw new Error(`the view '${name}' is kept by Sluice, and needs a log of flumelog-sluice`)

  const since = createObservable()
  const signals = new EventEmitter().setMaxListeners(0) // 'closing', 'closed', 'failed', 'rebuilt'
  let isClosed = false
  let isThere = false
  let hasReported = false
  const reads = new Set() // Under way.
  let attempts = 0 // To add the view; only the last one counts.
  let isMapperLate = false
  let placed = null // A promise of the view that the database has, or gets; null when that is dropped.
  let added = add()
  inside.signals.on('moved', follow)

  return {
    inside,
    since,
    signals,
    isClosed: () => isClosed,
    isThere: () => isThere,
    /** The view of the database. */
    async view () {
      if (isClosed) throw closedError()
      const view = await added
      if (isClosed) throw closedError()
      if (!view) throw new Error(`the view '${name}' is being built anew`)
      return view
    },
    closedError,
    whileOpen,
    on,
    keysOfLive,
    createSink,
    close,
    destroy
  }

  function add () {
    const adding = addToDatabase()
    adding.catch(whenFailed)
    return adding
  }

  // Resolves to the view, or to nothing where another attempt has begun meanwhile.
  async function addToDatabase () {
    const attempt = ++attempts
    isMapperLate = false
    try {
      const database = await inside.opened
      placed = place(database)
      const view = await placed
      const hasAll = attempt === attempts && await isWhole(view)
      if (attempt !== attempts) return
      if (!hasAll) return await addOnceMore(attempt)
      // What is read from now on has all that the log has by now.
      isThere = true
      if (!isClosed) since.set(inside.since.value)
      return view
    } catch (error) {
      if (attempt === attempts) throw error
    }
  }

  async function addOnceMore (attempt, answered) {
    await Promise.all([answered, drop()])
    return attempt === attempts ? addToDatabase() : undefined
  }

  function place (database) {
    return database.addView('flume:' + name, {
      app: 'flumedb',
      version: versionNumber(version),
      definition: { kind: 'index' },
      map,
      onError: report
    })
  }

  async function drop () {
    const dropped = placed
    placed = null
    if (dropped) await (await dropped).drop()
  }

  // A program may have ended before its mapper had answered.
  async function isWhole (view) {
    const rows = await view.all({ exact: unknown, limit: 1 })
    return rows.length === 0
  }

  // Without the view its readers would wait for ever: if nobody else tells them, the program ends.
  function whenFailed (error) {
    if (!isClosed && error.code !== 'closed' && !signals.emit('failed', error)) throw error
  }

  function report (error) {
    if (hasReported) return
    hasReported = true
    console.error(`flumedb: a message has no row in the view '${name}', because its function fails:`, error)
  }

  // A view has its rows when a commit ends, and waits for no answer there. A mapper is late while an
  // application begins, until it has its keys. That is written in the view, in the same moment: whenever the
  // program ends, the next opening finds it there, and makes the view again.
  function map (message, emit) {
    const mapped = askMapper(inside.decode(message))
    if (!mapped) return emit(unknown)
    if (mapped.error) throw mapped.error
    for (const row of rowsOf(mapped.value, message.seq)) emit(row)
  }

  // { error, value }, or nothing where the mapper is late.
  function askMapper (value) {
    if (!log.mapper) return { value }
    if (isMapperLate) return
    let mapped
    const answered = new Promise(resolve => {
      log.mapper(value, (error, value) => {
        mapped = { error, value }
        resolve()
      })
    })
    if (!mapped) addAgainWhen(answered)
    return mapped
  }

  /** The rows of a message that is there; none if they cannot be told at once. */
  function keysOfLive (seq) {
    const message = inside.database().getNow(seq)
    if (!message || message.state !== 'live') return []
    let rows = []
    const make = (error, value) => { rows = error ? [] : rowsOf(value, seq) }
    try {
      if (log.mapper) log.mapper(inside.decode(message), make)
      else make(null, inside.decode(message))
    } catch {} // It has no row, then.
    return rows
  }

  // Who reads waits meanwhile, because `since` stays where it is.
  function addAgainWhen (answered) {
    const attempt = ++attempts
    isMapperLate = true
    isThere = false
    added = addOnceMore(attempt, answered)
    added.catch(whenFailed)
  }

  function follow () {
    if (isThere) since.set(inside.since.value)
  }

  // The messages that are streamed here are the database's own: it has seen them.
  function createSink () {
    if (!added) addAnew()
    return function sink () {}
  }

  function addAnew () {
    added = add()
    added.then(() => signals.emit('rebuilt'), ignore)
  }

  /** Answers with what ends it. */
  function on (event, listener) {
    signals.on(event, listener)
    return () => signals.removeListener(event, listener)
  }

  function destroy (cb) {
    added = null
    attempts++
    isThere = false
    since.set(-1)
    answer(drop(), cb)
  }

  /** The view is not closed before `promise` has settled. */
  function whileOpen (promise) {
    const settled = promise.then(ignore, ignore)
    reads.add(settled)
    settled.then(() => reads.delete(settled))
    return promise
  }

  function close (cb) {
    // Who listens to what comes must not be told any more: it would call what is closed.
    signals.emit('closing')
    answer(closeSoon(), cb)
  }

  // Who asked before gets what he asked for; a reader that goes on and on is ended.
  async function closeSoon () {
    let timer
    let isPatient = true
    const patience = new Promise(resolve => { timer = setTimeout(resolve, closePatienceMs) })
    patience.then(() => { isPatient = false })
    while (reads.size > 0 && isThere && isPatient) {
      await Promise.race([patience, Promise.all(reads).then(() => new Promise(setImmediate))])
    }
    clearTimeout(timer)
    isClosed = true
    inside.signals.removeListener('moved', follow)
    signals.emit('closed')
  }

  function closedError () {
    return new Error(`the view '${name}' is closed`)
  }
}

function ignore () {}

function answer (promise, cb) {
  if (typeof cb !== 'function') cb = ignore
  Promise.resolve(promise).then(() => process.nextTick(cb, null), error => process.nextTick(cb, error))
}

// Versions of flumeviews may be anything; the database's are numbers.
function versionNumber (version) {
  if (Number.isInteger(version) && version > 0 && version < 2 ** 31) return version
  let hash = 0
  for (const unit of String(version)) hash = (hash * 31 + unit.codePointAt(0)) % 2 ** 31
  return hash + 1
}
