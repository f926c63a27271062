'use strict'
// Keeps a view of JavaScript up to date: streams the log into it from where it stands, and from the
// beginning when it has to be built anew.

const pull = require('pull-stream')
const looper = require('pull-looper')
const createValve = require('./valve')
const emptyings = require('./emptying')

const failuresInARowMax = 3
// A view that does not say that its sink has ended is not waited for.
const sinkPatienceMs = 500

/**
 * `wrapped`: of view.js. `flume`: { since, stream(opts), isClosed(), report(message, error), dir }, where the folder
 * may be null.
 */
module.exports = function createBuilder (wrapped, flume) {
  const { view, sv } = wrapped
  let valve = null
  let sinkEnded = Promise.resolve()
  let emptying = null // A promise, from when it has to be emptied: whether it is.
  let emptied = null // The same, once the view has been told.
  let keeping = null // The last promise that the view is kept open for.
  let position // The last message that the view may have seen; undefined before it is streamed to.
  let failures = 0
  let best = -1 // How far the view came before it failed.

  // What the feed of changes has told of, and what the view was given that it has not. A message that was
  // restored is told as new, but the stream may have passed its place.
  let told = Infinity
  let given = new Set()
  let began // What the view had when it was first streamed to.
  const expected = new Map() // Told, and not given yet: by seq, whom to tell when it is known what became of it.
  let waitsBehind = -1 // What the stream had come to when it last waited for more.

  return { start, rebuild, stop, mayHaveSeen, watchFrom, expect, hasForgotten, keepOpen }

  function start () {
    sv.since.once(upto => {
      if (position !== undefined || view.isDestroying()) return // It is being built anew.
      position = upto
      // Made of another log, or of one that was longer; or emptied by half.
      if (upto > flume.since.value || (flume.dir && emptyings.wasCutShort(flume.dir, view.name))) rebuild()
      else streamFrom(upto)
    })
  }

  function streamFrom (upto) {
    if (flume.isClosed()) return
    position = upto
    if (began === undefined) began = upto
    const opened = valve = createValve({ passed, ended: whenLogEnded })
    view.abortStream = valve.shut
    const opts = { gt: upto, live: true, seqs: true, values: true, waits }
    if (upto === -1) opts.cache = false
    sinkEnded = new Promise(resolve => {
      pull(flume.stream(opts), opened, looper, sv.createSink(error => {
        resolve()
        if (valve === opened) whenViewEnded(error)
      }))
    })
  }

  function mayHaveSeen (seq) {
    const upto = position === undefined ? sv.since.value : position
    return upto === undefined || seq <= upto
  }

  function passed (data) {
    position = Math.max(position, data.seq)
    if (expected.has(data.seq)) settle(data.seq)
    else if (data.seq > told) given.add(data.seq)
  }

  function waits (upto) {
    waitsBehind = Math.max(waitsBehind, upto)
    settlePassed()
  }

  /** The feed has told of all messages up to `seq`. */
  function watchFrom (seq) {
    told = seq
  }

  /**
   * The feed tells that message `seq` has been added, or was restored. Calls back when the view has been
   * given it, or when it is known that the stream has passed its place (`missed` true).
   */
  function expect (seq, cb) {
    const isNew = seq > told
    told = Math.max(told, seq)
    if (isNew && (given.delete(seq) || seq <= began)) return cb(false)
    if (expected.has(seq)) settle(seq)
    expected.set(seq, cb)
    settlePassed()
  }

  function settlePassed () {
    if (expected.size === 0) return
    const upto = Math.max(position, waitsBehind)
    for (const seq of expected.keys()) if (seq <= upto) settle(seq, true)
  }

  function settleAll () {
    for (const seq of expected.keys()) settle(seq)
  }

  function settle (seq, isMissed = false) {
    const cb = expected.get(seq)
    expected.delete(seq)
    cb(isMissed)
  }

  function hasForgotten (seqs) {
    for (const seq of seqs) given.delete(seq)
  }

  // Then it is not the view's fault, and building it again would end in the same way.
  function whenLogEnded (how) {
    valve = null
    if (how !== true) fail(how)
  }

  function whenViewEnded (error) {
    if (flume.isClosed() || view.isDestroying()) return
    valve.shut()
    // pull-write ends with such an error where nothing has failed.
    if (!error || error === true || error.abort === true) return setImmediate(resume)
    failures = sv.since.value > best ? 1 : failures + 1
    best = Math.max(best, sv.since.value)
    if (failures > failuresInARowMax) return fail(error)
    flume.report(`rebuilding ${view.name} after view stream error`, error)
    rebuild()
  }

  function resume () {
    if (!flume.isClosed() && !view.isDestroying()) sv.since.once(streamFrom)
  }

  function fail (error) {
    if (flume.isClosed()) return
    flume.report(`${view.name} has stopped`, error)
    wrapped.fail(error)
  }

  /** Empties the view and begins anew. Reads wait meanwhile. Resolves when it is empty, to whether it is. */
  function rebuild () {
    if (view.isDestroying()) return emptying
    view.setDestroying(true)
    wrapped.clear()
    if (valve) valve.shut()
    // What the view has under way must not be written after it was emptied.
    emptying = patiently(sinkEnded)
      .then(() => new Promise(resolve => sv.since.once(() => setImmediate(resolve))))
      .then(() => flume.dir && emptyings.begin(flume.dir, view.name))
      .then(empty)
    emptying.catch(fail)
    return emptying
  }

  function empty () {
    if (flume.isClosed()) return false
    emptied = new Promise(resolve => view.destroy(error => {
      if (!error && flume.dir) emptyings.end(flume.dir, view.name)
      resolve(!error)
      position = began = waitsBehind = -1
      given = new Set()
      settleAll()
      view.setDestroying(false)
      if (error) return fail(error)
      streamFrom(-1)
    }))
    return emptied
  }

  /** The view is not closed before `promise` has settled. Answers with `promise`. */
  function keepOpen (promise) {
    keeping = promise.catch(() => {})
    return promise
  }

  /** Resolves when the view may be closed: LevelDB must not be closed while it is being emptied. */
  function stop () {
    settleAll()
    if (valve) valve.shut()
    valve = null
    return emptied || keeping ? Promise.all([emptied, keeping]) : null
  }
}

function patiently (promise) {
  let timer
  const patience = new Promise(resolve => { timer = setTimeout(resolve, sinkPatienceMs) })
  return Promise.race([promise, patience]).then(() => clearTimeout(timer))
}
