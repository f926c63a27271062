'use strict'
// flumeview-reduce over rows that the database keeps: what map makes of each message. The value is folded
// from them when the program starts, and again when one of them goes, so that it is always that of the
// messages that are there. Items are kept as JSON.
//
//     db.use('count', require('sluice-flumedb/reduce')(1, (acc, item) => acc + 1, null, null, 0))

const pull = require('pull-stream')
const createObservable = require('flumelog-sluice/observable')
const keepView = require('../lib/kept')
const createFold = require('../lib/fold')
const createNotify = require('../lib/notify')

/**
 * (version, reduce, map, codec, initial) or (version, { reduce, map, initial, undo }), where
 * `undo(acc, item, seq)` may take out of the value what reduce has put in. The codec, and the other
 * options of flumeview-reduce, are about a file that is not there.
 */
module.exports = function createReduce (version, reduce, map, codec, initial) {
  if (typeof version === 'function') throw new Error('version must be a number')
  const options = typeof reduce === 'object' ? reduce : { reduce, map, initial }

  return function createView (log, name) {
    const itemOf = options.map || (value => value)
    const kept = keepView(log, name, version, rowsOf)
    const since = createObservable()
    const value = createObservable()
    const notify = createNotify()
    const fold = createFold(kept, { ...options, initial: startValue }, { stepped: notify, foldedAnew })

    kept.since(whenMoved)
    kept.on('rebuilt', fold.reset) // It may have gone on with what there was.
    kept.inside.signals.on('changed', catchUpSoon)
    kept.inside.signals.on('elsewhere', catchUpSoon)

    return {
      isKeptBySluice: true,
      since,
      signals: kept.signals,
      value,
      methods: { get: 'async', stream: 'source', value: 'sync' },
      get,
      stream,
      createSink: kept.createSink,
      close,
      destroy
    }

    function rowsOf (value, seq) {
      const item = itemOf(value, seq)
      const text = item == null ? undefined : JSON.stringify(item)
      fold.expect(seq, text === undefined ? null : text)
      return text === undefined ? [] : [[seq, text]]
    }

    function startValue () {
      return isObject(options.initial) ? structuredClone(options.initial) : options.initial
    }

    function whenMoved (seq) {
      if (seq === -1) publish(-1)
      // Reducers are listeners, too: they hear of a message before who appended it goes on.
      if (seq > -1 && fold.catchUpNow()) publish(seq)
      else catchUpSoon()
    }

    function catchUpSoon () {
      catchUp().catch(error => {
        if (kept.isThere() && !kept.isClosed() && !kept.signals.emit('failed', error)) process.nextTick(() => { throw error })
      })
    }

    async function catchUp () {
      if (!kept.isThere() || kept.isClosed()) return
      const seq = kept.since.value
      if (!fold.isCurrent()) await fold.catchUp()
      if (kept.isThere() && !kept.isClosed()) publish(seq)
    }

    function publish (seq) {
      value.set(fold.value())
      since.set(seq)
    }

    function foldedAnew (folded) {
      notify({ type: 'fresh', value: folded })
    }

    function get (opts, cb) {
      if (typeof opts === 'function') return get(null, opts)
      // What has been deleted is out of the value, and that is seen by who has deleted it.
      kept.inside.lookForChanges()
      if (fold.isCurrent()) return cb(null, answerTo(opts))
      kept.ask(catchUp).then(() => process.nextTick(cb, null, answerTo(opts)), error => process.nextTick(cb, error))
    }

    function answerTo (opts) {
      if (!isObject(opts) || Object.keys(opts).length === 0 || opts.meta === false) return fold.value()
      const meta = { seq: since.value, version }
      return opts.values === false ? { ...meta, size: null } : { ...meta, value: fold.value() }
    }

    /** The value; with `live` then each item that comes; with `deletions` { type: 'fresh', value } too. */
    function stream (opts = {}) {
      if (opts.live !== true) return pull.once(fold.value())
      return pull(notify.listen(fold.value()), opts.deletions ? null : pull.filter(item => !isFresh(item)))
    }

    function close (cb) {
      notify.end(true)
      fold.stop()
      kept.inside.signals.removeListener('changed', catchUpSoon)
      kept.inside.signals.removeListener('elsewhere', catchUpSoon)
      kept.close(cb)
    }

    function destroy (cb) {
      fold.reset()
      kept.destroy(cb)
    }
  }
}

function isObject (value) {
  return typeof value === 'object' && value !== null
}

function isFresh (item) {
  return isObject(item) && item.type === 'fresh' && 'value' in item
}
