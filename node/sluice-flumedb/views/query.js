'use strict'
// flumeview-query on views that the database keeps: a query is answered from the index that fits it best,
// or by a look at all messages, and goes through map-filter-reduce.
//
//     db.use('query', require('sluice-flumedb/query')(1, {
//       indexes: [{ key: 'typ', value: [['content', 'type'], ['timestamp']] }]
//     }))
//     pull(db.query.read({ query: [{ $filter: { content: { type: 'post' } } }] }), pull.collect(...))

const pull = require('pull-stream')
const mapFilterReduce = require('map-filter-reduce')
const createLevel = require('./level')
const paths = require('../lib/paths')
const plan = require('../lib/plan')

/** `opts`: { indexes: [{ key, value: [path], exact }], filter, map, exact }. */
module.exports = function createQuery (version, opts) {
  if (typeof version !== 'number') throw new Error('flumeview-query:version expected as first arg')
  if (!isObject(opts)) throw new Error('flumeview-query: expected opts as second arg')
  const map = opts.map || (value => value)
  const filter = opts.filter || (() => true)
  const kept = opts.indexes.map(withExact)

  return function createView (log, name) {
    const level = createLevel(version || 3, keysOf)(log, name)
    const indexes = kept.map(index => ({ ...index, createStream: opts => readIndex(index, opts) }))

    return {
      isKeptBySluice: true,
      since: level.since,
      signals: level.signals,
      methods: { read: 'source', add: 'sync', explain: 'sync' },
      read,
      explain,
      add,
      createSink: level.createSink,
      close: level.close,
      destroy: level.destroy
    }

    function read (opts = {}) {
      const how = explain(opts)
      return pull(
        how.createStream(how),
        Array.isArray(opts.query) ? mapFilterReduce(opts.query) : null,
        opts.limit > 0 ? pull.take(opts.limit) : null
      )
    }

    /** How a read would be answered. */
    function explain (opts = {}) {
      const { filter, sort } = plan.parse(opts.query)
      const how = {
        reverse: Boolean(opts.reverse),
        live: opts.live === true || opts.old === false,
        old: opts.old !== false
      }
      const { index, scores } = sort
        ? { index: plan.findByPaths(indexes, sort), scores: {} }
        : plan.choose(indexes, filter, plan.queryPoints)
      if (!index) return { scan: true, createStream: scan, ...how, sync: Boolean(opts.sync) }
      const bounds = plan.queryBounds(index, filter)
      return { ...bounds, ...how, createStream: index.createStream, sync: opts.sync, index: index.key, scores }
    }

    /** Another index, which is kept elsewhere: { index: [path], createStream }. */
    function add (opts) {
      const value = opts && (opts.index || opts.value)
      if (!Array.isArray(value) || typeof opts.createStream !== 'function') {
        throw new Error('flumeview-query.add: expected {index, createStream}')
      }
      opts.value = value
      indexes.push(opts)
    }

    function readIndex (index, { gte, lte, ...opts }) {
      return pull(
        level.read({ ...opts, gte: [index.key, ...gte], lte: [index.key, ...lte], keys: true, values: true }),
        pull.map(data => data.sync ? data : map(data.value))
      )
    }

    function scan (opts) {
      return log.stream({ ...opts, seqs: false, values: true })
    }
  }

  function withExact (index) {
    const exact = typeof index.exact === 'boolean' ? index.exact : opts.exact !== false
    return { key: index.key, value: index.value, exact }
  }

  // A message is in those indexes whose paths it has.
  function keysOf (value, seq) {
    const data = map(value, seq)
    if (!filter(data)) return []
    return kept.filter(index => index.value.every(path => paths.has(path, data))).map(index => {
      const key = [index.key, ...index.value.map(path => paths.get(path, data))]
      return index.exact ? key : [...key, seq]
    })
  }
}

function isObject (value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
