'use strict'
// flumeview-links on a view that the database keeps: the links that messages emit, found by any of their
// members.
//
//     const links = require('sluice-flumedb/links')
//     db.use('links', links([{ key: 'SRD', value: ['source', 'rel', 'dest'] }], (msg, emit) => emit({ ... })))

const pull = require('pull-stream')
const mapFilterReduce = require('map-filter-reduce')
const mfr = require('map-filter-reduce/util')
const createLevel = require('./level')
const paths = require('../lib/paths')
const plan = require('../lib/plan')

/** `emitLinks(value, emit)` emits objects; without it a message is its own link. */
module.exports = function createLinks (indexes, emitLinks, version) {
  emitLinks = emitLinks || ((value, emit) => emit(value))

  return function createView (log, name) {
    const level = createLevel(version || 2, keysOf)(log, name)
    return { ...level, methods: { get: 'async', read: 'source', explain: 'async' }, read, explain }

    function explain (opts = {}, cb) {
      if (typeof opts === 'function') return explain({}, opts)
      const { index, error } = choose(plan.parse(opts.query))
      if (error) cb(error)
      else cb(null, { index })
    }

    function read (opts = {}) {
      const parsed = plan.parse(opts.query)
      const { index, error } = choose(parsed)
      if (error) return pull.error(error)
      // An index gives what is asked for in its order, and has no $sort to be applied.
      const steps = parsed.sort ? parsed.steps.slice(0, -1) : parsed.steps
      return pull(
        index ? readIndex(index, parsed.filter, opts) : scan(opts),
        steps.length > 0 ? mapFilterReduce(steps) : null,
        opts.limit > 0 ? pull.take(opts.limit) : null
      )
    }

    function readIndex (index, filter, { reverse, live, old, sync, unlinkedValues }) {
      const { gte, lte } = plan.boundsOf(index, filter, value => value)
      const part = { gte: [index.key, ...gte, mfr.LO], lte: [index.key, ...lte, mfr.HI] }
      return pull(
        level.read({ ...part, reverse, live, old, sync, keys: true, values: true }),
        pull.map(data => data.sync ? data : linkOf(index, data, unlinkedValues))
      )
    }

    function scan ({ live, old, reverse }) {
      return pull(
        log.stream({ live, old, reverse, seqs: false, values: true }),
        pull.map(linksOf),
        pull.flatten()
      )
    }
  }

  function choose ({ filter, sort }) {
    if (!sort) return plan.choose(indexes, filter, points)
    const index = plan.findByPaths(indexes, sort)
    return index ? { index } : { error: new Error('could not sort by:' + JSON.stringify(sort)) }
  }

  function keysOf (value, seq) {
    return linksOf(value).flatMap(link => indexes
      .filter(index => index.value.every(path => paths.has(path, link)))
      .map(index => [index.key, ...index.value.map(path => paths.get(path, link)), seq]))
  }

  function linksOf (value) {
    const links = []
    emitLinks(value, link => links.push(link))
    return links
  }
}

// With `unlinked` the message, with the members of the link in it.
function linkOf (index, { key, value }, unlinked) {
  const link = unlinked ? value : {}
  index.value.forEach((path, i) => paths.set(path, key[i + 1], link))
  return link
}

function points (path, filter) {
  if (!paths.has(path, filter)) return 0
  const value = paths.get(path, filter)
  if (mfr.isExact(value)) return 3
  return mfr.isRange(value) ? 2 : 1
}
