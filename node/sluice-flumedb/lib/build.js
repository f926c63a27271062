'use strict'
// Keeps a view of JavaScript up to date: streams the log into it from where it stands, and from the
// beginning when it has to be built anew.

const pull = require('pull-stream')
const looper = require('pull-looper')
const createValve = require('./valve')

const failuresInARowMax = 3
// A view that does not say that its sink has ended is not waited for.
const sinkPatienceMs = 500

/** `wrapped`: of view.js. `flume`: { since, stream(opts), isClosed(), report(message, error) }. */
module.exports = function createBuilder (wrapped, flume) {
  const { view, sv } = wrapped
  let valve = null
  let sinkEnded = Promise.resolve()
  let emptied = null // A promise, once the view has been emptied.
  let position // The last message that the view may have seen; undefined before it is streamed to.
  let failures = 0
  let best = -1 // How far the view came before it failed.

  // What the feed of changes has told of, and what the view was given that it has not: a message that was
  // deleted and restored before it is told is told as new, but the stream may have passed its place.
  let told = Infinity
  let given = new Set()
  let began // What the view had when it was first streamed to.

  return { start, rebuild, stop, mayHaveSeen, watchFrom, hasMissed }

  function start () {
    sv.since.once(upto => {
      if (position !== undefined || view.isDestroying()) return // It is being built anew.
      position = upto
      if (upto > flume.since.value) rebuild() // Made of another log, or of one that was longer.
      else streamFrom(upto)
    })
  }

  function streamFrom (upto) {
    if (flume.isClosed()) return
    position = upto
    if (began === undefined) began = upto
    const opened = valve = createValve({ passed, ended: whenLogEnded })
    view.abortStream = valve.shut
    const opts = { gt: upto, live: true, seqs: true, values: true }
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
    if (data.seq > told) given.add(data.seq)
  }

  /** The feed has told of all messages up to `seq`. */
  function watchFrom (seq) {
    told = seq
  }

  /** The feed tells of a new message: whether the view will not come to it any more. */
  function hasMissed (seq) {
    told = Math.max(told, seq)
    const isBehind = position !== undefined && seq <= position && seq > began
    return !given.delete(seq) && isBehind
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

  /** Empties the view and begins anew. Reads wait meanwhile. */
  function rebuild () {
    if (view.isDestroying()) return
    view.setDestroying(true)
    wrapped.clear()
    if (valve) valve.shut()
    // What the view has under way must not be written after it was emptied.
    patiently(sinkEnded).then(() => sv.since.once(() => setImmediate(empty)))
  }

  function empty () {
    if (flume.isClosed()) return
    emptied = new Promise(resolve => view.destroy(error => {
      resolve()
      position = began = -1
      given = new Set()
      view.setDestroying(false)
      if (error) return fail(error)
      streamFrom(-1)
    }))
  }

  /** Resolves when the view may be closed: LevelDB must not be closed while it is being emptied. */
  function stop () {
    if (valve) valve.shut()
    valve = null
    return emptied
  }
}

function patiently (promise) {
  let timer
  const patience = new Promise(resolve => { timer = setTimeout(resolve, sinkPatienceMs) })
  return Promise.race([promise, patience]).then(() => clearTimeout(timer))
}
