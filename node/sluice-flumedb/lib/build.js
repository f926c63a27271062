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
  let position // The last message that the view may have seen; undefined until it has been loaded.
  let failures = 0
  let best = -1 // How far the view came before it failed.

  return { start, rebuild, stop, mayHaveSeen: seq => position === undefined || seq <= position }

  function start () {
    sv.since.once(upto => {
      position = upto
      if (upto > flume.since.value) rebuild() // Made of another log, or of one that was longer.
      else streamFrom(upto)
    })
  }

  function streamFrom (upto) {
    if (flume.isClosed()) return
    position = upto
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

  function passed (data) {
    position = Math.max(position, data.seq)
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
    view.destroy(error => {
      position = -1
      view.setDestroying(false)
      if (error) return fail(error)
      streamFrom(-1)
    })
  }

  function stop () {
    if (valve) valve.shut()
    valve = null
  }
}

function patiently (promise) {
  let timer
  const patience = new Promise(resolve => { timer = setTimeout(resolve, sinkPatienceMs) })
  return Promise.race([promise, patience]).then(() => clearTimeout(timer))
}
