'use strict'
// A view that the database keeps, as FlumeDB wants views: below this package or below flumedb itself.

const EventEmitter = require('events')
const flumelogSluice = require('flumelog-sluice')
const createObservable = require('flumelog-sluice/observable')
const { unknown } = require('./keys')

const closePatienceMs = 1000

/**
 * `log`, `name`: what a createView is called with. `rowsOf(value, seq)` gives the rows of a message, as
 * keys of the database.
 */
module.exports = function keepView (log, name, version, rowsOf) {
  const inside = flumelogSluice.inside(log.since)
  if (!inside) throw new Error(`the view '${name}' is kept by Sluice, and needs a log of flumelog-sluice`)

  const since = createObservable()
  const signals = new EventEmitter().setMaxListeners(0) // 'closing', 'closed', 'failed', 'leaving', 'rebuilt'
  let isClosed = false
  let isThere = false
  let isAnew = false // It has been destroyed.
  let hasReported = false
  const closed = new Promise(resolve => signals.once('closed', resolve))
  const reads = new Set() // Under way.
  let attempts = 0 // To add the view; only the last one counts.
  let isMapperLate = false
  let addAnew = null // Has it added, where it has been destroyed.
  let placed = null // A promise of the view that the database has, or gets; null when that is dropped.
  let added = add()
  inside.signals.on('moved', follow)

  return {
    inside,
    since,
    signals,
    isClosed: () => isClosed,
    isThere: () => isThere,
    ask,
    closedError,
    whileOpen,
    on,
    keysOfLive,
    createSink,
    close,
    destroy
  }

  /**
   * What `work(view)` answers of the view of the database. While that is being built anew this waits, and what was
   * under way begins again.
   */
  async function ask (work) {
    for (;;) {
      const asked = added
      const view = await (isThere ? asked : Promise.race([asked, closed]))
      if (isClosed) throw closedError()
      if (asked !== added) continue
      try {
        return await work(view)
      } catch (error) {
        if (error.code !== 'not_found' || asked === added) throw error
      }
    }
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
    const isWhole = await place().catch(error => { if (attempt === attempts) throw error })
    if (attempt !== attempts) return
    if (!isWhole) return addOnceMore(attempt)
    // What is read from now on has all that the log has by now.
    isThere = true
    if (isAnew) signals.emit('rebuilt')
    isAnew = false
    if (!isClosed) since.set(inside.since.value)
    return placed
  }

  async function addOnceMore (attempt, answered) {
    await Promise.all([answered, drop()])
    return attempt === attempts ? addToDatabase() : undefined
  }

  // Resolves to whether it has the rows of every message: a program may have ended before its mapper had answered.
  async function place () {
    const database = await inside.opened
    placed = database.addView('flume:' + name, {
      app: 'flumedb',
      version: versionNumber(version),
      definition: { kind: 'index' },
      map,
      onError: report
    })
    const view = await placed
    return (await view.all({ exact: unknown, limit: 1 })).length === 0
  }

  async function drop () {
    const dropped = placed
    placed = null
    if (dropped) await (await dropped).drop()
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
    signals.emit('leaving')
  }

  function follow () {
    if (isThere) since.set(inside.since.value)
  }

  // The messages that are streamed here are the database's own: it has seen them.
  function createSink () {
    if (addAnew) addAnew()
    return function sink () {}
  }

  /** Answers with what ends it. */
  function on (event, listener) {
    signals.on(event, listener)
    return () => signals.removeListener(event, listener)
  }

  // Who asks for the view meanwhile waits for the next one.
  function waitForSink () {
    added = new Promise(resolve => { addAnew = resolve }).then(() => {
      addAnew = null
      return add()
    })
    added.catch(ignore)
  }

  function destroy (cb) {
    if (!addAnew) waitForSink()
    attempts++
    isThere = false
    isAnew = true
    since.set(-1)
    signals.emit('leaving')
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
