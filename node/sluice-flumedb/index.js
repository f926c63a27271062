'use strict'
// FlumeDB's interface, with its whole surface, over a flumelog. On one of flumelog-sluice messages can
// also be deleted and erased, and every view is right at once:
//
//     const db = require('sluice-flumedb')(require('flumelog-sluice')('forum/log'))
//     db.use('byAuthor', require('sluice-flumedb/level')(1, msg => [msg.author]))
//     db.append({ author: '@alice' }, (error, seq) => db.del(seq, error => ...))
//
// Views of this package are kept by the database. Other views, written for FlumeDB, are streamed to;
// after a deletion those that cannot forget are built anew, each for itself, and named in a warning.

const path = require('path')
const flumelogSluice = require('flumelog-sluice')
const createObservable = require('flumelog-sluice/observable')
const createMapping = require('./lib/mapping')
const createView = require('./lib/view')
const createBuilder = require('./lib/build')
const createNativeBuilder = require('./lib/native')
const followPast = require('./lib/forgetting')
const deferred = require('./lib/deferred')

const ofEveryView = ['close', 'createSink', 'destroy', 'since']

module.exports = function createFlume (log, isReady, mapper) {
  const inside = flumelogSluice.inside(log.since)
  const mapping = createMapping(log, mapper, inside)
  const meta = { get: 0 }
  const ready = createObservable()
  ready.set(isReady !== false ? true : undefined)
  const builders = {}

  const flume = {
    closed: false,
    dir: log.filename ? path.dirname(log.filename) : null,
    since: log.since,
    ready,
    meta,
    views: {},
    append,
    get,
    stream,
    use,
    rebuild,
    close,
    onWarning: (name, message) => console.warn(message)
  }
  addMethodsOfLog()

  // What the parts in lib/ need.
  const common = {
    since: log.since,
    dir: flume.dir,
    ready,
    stream: mapping.stream,
    isClosed: () => flume.closed,
    throwIfClosed,
    whenLoaded,
    lookForChanges: () => inside && inside.lookForChanges(),
    newestLive: () => inside ? inside.newestLive() : log.since.value,
    report: (message, error) => console.error(`flumedb: ${message}:`, error)
  }
  return flume

  function append (value, cb) {
    throwIfClosed('append')
    return log.append(value, cb)
  }

  function get (seq, cb) {
    throwIfClosed('get')
    whenLoaded(error => error ? cb(error) : countedGet(seq, cb))
  }

  function countedGet (seq, cb) {
    meta.get++
    mapping.get(seq, cb)
  }

  function stream (opts) {
    throwIfClosed('stream')
    return deferred(cb => whenLoaded(error => error ? cb(error) : cb(null, mapping.stream(opts))))
  }

  function use (name, create) {
    if (Object.hasOwn(flume, name)) throw new Error(name + ' is already in use!')
    throwIfClosed('use')
    const sv = create(logForViews(), name)
    for (const member of ofEveryView) {
      if (typeof sv[member] !== 'function') {
        throw new Error(`FlumeDB view '${name}' must implement method '${member}'`)
      }
    }
    const wrapped = createView(sv, name, common)
    flume.views[name] = flume[name] = wrapped.view
    meta[name] = wrapped.view.meta
    builders[name] = { wrapped, builder: build(wrapped) }
    return flume
  }

  function logForViews () {
    return { get: countedGet, stream: mapping.stream, since: log.since, filename: log.filename, mapper }
  }

  function build (wrapped) {
    if (wrapped.sv.isKeptBySluice) {
      wrapped.sv.signals.on('failed', wrapped.fail)
      return start(createNativeBuilder(wrapped), wrapped)
    }
    const builder = createBuilder(wrapped, common)
    if (!inside) return start(builder, wrapped)
    const { report, isClosed } = common
    followPast(wrapped, builder, inside, { warn: warnOnce(wrapped.view.name), report, isClosed })
      .catch(error => flume.closed || wrapped.fail(error))
    return builder
  }

  function start (builder, wrapped) {
    whenLoaded(error => error ? wrapped.fail(error) : builder.start())
    return builder
  }

  function warnOnce (name) {
    let hasWarned = false
    return function () {
      if (hasWarned) return
      hasWarned = true
      flume.onWarning(name, `flumedb: the view '${name}' cannot forget messages, so it is built anew whenever ` +
        'one is deleted or changed. Give it del(seqs, cb), or use a view of sluice-flumedb.')
    }
  }

  function rebuild (cb = () => {}) {
    // Programs rebuild when a key has come, which may be when they are about to end.
    if (flume.closed) return process.nextTick(cb, new Error('cannot call:rebuild, flumedb instance closed'))
    const all = Object.values(builders)
    for (const { builder } of all) builder.rebuild()
    inParallel(all.map(({ wrapped }) => wrapped.whenCurrent), cb)
  }

  function close (cb = () => {}) {
    if (flume.closed) return cb()
    flume.closed = true
    inParallel(Object.values(builders).map(({ wrapped, builder }) => cb => closeView(wrapped, builder, cb)), error => {
      if (!log.close) return cb(error)
      log.close(closeError => cb(error || closeError))
    })
  }

  function closeView ({ view }, builder, cb) {
    const emptied = builder.stop()
    if (emptied) emptied.then(() => process.nextTick(view.close, cb))
    else view.close(cb)
  }

  function throwIfClosed (name) {
    if (flume.closed) throw new Error('cannot call:' + name + ', flumedb instance closed')
  }

  // Calls back once, when the log is open, or will never be.
  function whenLoaded (cb) {
    if (log.since.value !== undefined || !inside) return log.since.once(() => cb())
    inside.opened.then(() => process.nextTick(cb), error => process.nextTick(cb, error))
  }

  function addMethodsOfLog () {
    const changes = inside ? { del: 'async', erase: 'async', rederive: 'async' } : {}
    for (const [key, type] of Object.entries({ ...changes, ...log.methods })) {
      if (typeof log[key] !== 'function') throw new Error(`expected function named: "${key}" of type: "${type}"`)
      if (flume[key] != null) throw new Error(`log method "${key}" conflicts with flumedb method of the same name`)
      flume[key] = log[key]
    }
    if (inside) flume.erase = erase
  }

  // Views of JavaScript have files of their own: it calls back when these are made of what is left.
  function erase (seqs, opts, cb = () => {}) {
    if (typeof opts === 'function') return erase(seqs, undefined, opts)
    log.erase(seqs, opts, error => {
      if (error) return cb(error)
      const foreign = Object.values(builders).filter(({ wrapped }) => !wrapped.sv.isKeptBySluice)
      inParallel(foreign.map(({ wrapped }) => wrapped.whenCurrent), () => cb(null)) // One that has stopped says so itself.
    })
  }
}

// Calls each with a callback, and then `cb`, once, with the first error.
function inParallel (works, cb = () => {}) {
  let left = works.length
  let failure = null
  if (left === 0) return cb(null)
  for (const work of works) {
    work(error => {
      failure = failure || error || null
      if (--left === 0) cb(failure)
    })
  }
}
