'use strict'
// A view as an application sees it: its methods wait until it is as far as the log, by `opts.since`:
//   left out    until it shows all that the log had when it was asked
//   n > 0       until it shows message n
//   n < 0       until it has been loaded

const createWaiting = require('./waiting')
const deferred = require('./deferred')

/** `sv`: what a createView has made. `flume`: { since, ready, isClosed(), newestLive() }. */
module.exports = function createView (sv, name, flume) {
  if (!sv.methods) throw new Error('a stream view must have methods property')

  const meta = {}
  let isDestroying = false
  let holds = 0 // Of those who change the view, and let nobody read meanwhile.
  let readHolds = 0 // Of those who wait for such changes.
  let failure = null // Why the view has stopped, if it has.
  const waiting = createWaiting({ covers, isReady: () => Boolean(flume.ready.value) && readHolds === 0 })

  const view = {
    name,
    meta,
    methods: sv.methods,
    since: sv.since,
    createSink: sv.createSink,
    ready,
    close,
    destroy: cb => sv.destroy(cb),
    isDestroying: () => isDestroying,
    setDestroying
  }
  for (const [key, type] of Object.entries(sv.methods)) addMethod(key, type)

  sv.since(waiting.release)
  flume.ready(waiting.release)

  return {
    view,
    sv,
    release: waiting.release,
    hold,
    holdReads,
    /** Calls back when the view shows all that the log has now, whether reads are let through or not. */
    whenCurrent: cb => failure ? cb(failure) : waiting.wait(flume.since.value, cb, { evenUnready: true }),
    /** From now on every read has this error, until clear(). */
    fail (error) {
      failure = error
      waiting.fail(error)
    },
    clear () { failure = null }
  }

  // A view that has seen the newest message that is still there has seen all: of those behind it, which
  // were deleted, it never hears.
  function covers (seq) {
    const upto = sv.since.value
    if (isDestroying || holds > 0 || upto == null) return false
    return upto >= seq || (seq <= flume.since.value && upto >= flume.newestLive())
  }

  function ready (cb, since) {
    if (failure) return cb(failure)
    flume.lookForChanges()
    if (since < 0) return sv.since.once(() => cb())
    if (since) return waiting.wait(since, cb)
    flume.whenLoaded(error => {
      if (error || flume.isClosed()) return cb(error || new Error('flumedb: closed before log ready'))
      waiting.wait(flume.since.value, cb)
    })
  }

  function hold () {
    holds++
    return function release () {
      holds--
      waiting.release()
    }
  }

  function holdReads () {
    readHolds++
    return function release () {
      readHolds--
      waiting.release()
    }
  }

  function setDestroying (value) {
    isDestroying = value
    waiting.release()
  }

  function addMethod (key, type) {
    const method = sv[key]
    if (typeof method !== 'function') throw new Error('expected function named:' + key + 'of type: ' + type)
    const wrap = { async: wrapAsync, source: wrapSource, sync: wrapSync }[type]
    if (!wrap) throw new Error(`method '${key}' of FlumeDB view '${name}' is neither async, source nor sync`)
    meta[key] = 0
    view[key] = wrap(method, key)
  }

  function wrapAsync (method, key) {
    return function (opts, cb) {
      count(key)
      const answer = typeof opts === 'function' ? opts : cb
      ready(error => error ? answer(error) : method(opts, cb), opts && opts.since)
    }
  }

  function wrapSource (method, key) {
    return function (opts) {
      count(key)
      const isLive = Boolean(opts) && (opts.live === true || opts.old === false)
      return deferred(cb => ready(error => {
        // Who listens to what may come has lost nothing when the view is closed.
        if (error) return cb(isLive && error.isOfClosing ? true : error)
        cb(null, method(opts))
      }, opts && opts.since))
    }
  }

  function wrapSync (method, key) {
    return function (...args) {
      count(key)
      return method(...args)
    }
  }

  function count (key) {
    flume.throwIfClosed(key)
    meta[key]++
  }

  function close (error, cb) {
    if (typeof error === 'function') return close(null, error)
    waiting.fail(error || Object.assign(new Error('flumedb:view closed'), { isOfClosing: true }))
    if (sv.close.length === 1) sv.close(cb)
    else sv.close(error, cb)
  }
}
