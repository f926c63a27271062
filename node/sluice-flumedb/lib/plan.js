'use strict'
// Which index answers a query, and which part of it.

const mfr = require('map-filter-reduce/util')
const paths = require('./paths')

/** What a read's `query` asks for: { filter, sort, steps }, where steps are for map-filter-reduce. */
exports.parse = function parse (query) {
  if (!Array.isArray(query)) return { filter: query || {}, sort: undefined, steps: [] }
  const first = query[0] || {}
  const last = query[query.length - 1] || {}
  return { filter: first.$filter || {}, sort: last.$sort, steps: query }
}

/**
 * The index that fits best, with the scores of those that fit. Its paths count from the first on, up to
 * one that the filter says nothing of: `points` of (path, filter) for each, and more for the first ones.
 */
exports.choose = function choose (indexes, filter, points) {
  const scores = {}
  let best
  let bestScore = 0
  for (const index of indexes) {
    const score = scoreOf(index, path => points(path, filter))
    if (score > 0) scores[index.key] = score
    if (score > bestScore) [best, bestScore] = [index, score]
  }
  return { index: best, scores }
}

function scoreOf (index, points) {
  let score = 0
  for (const path of index.value) {
    const more = points(path)
    if (more === 0) return score
    score = score * score + more
  }
  return score
}

exports.findByPaths = function findByPaths (indexes, sort) {
  return indexes.find(index => paths.equal(index.value, sort))
}

/** The bounds of a filter in an index: { gte, lte }, without what stands before and behind the paths. */
exports.boundsOf = function boundsOf (index, filter, valueOf) {
  const bound = (edge, open) => index.value.map(path => {
    const value = paths.get(path, filter)
    if (value == null) return open
    return mfr.isRange(value) ? edge(value) : valueOf(value, open)
  })
  return { gte: bound(mfr.lower, mfr.LO), lte: bound(mfr.upper, mfr.HI) }
}

// What flumeview-query counts and looks for. What is neither a value nor a range, such as { $ne }, says
// nothing of where to look.

exports.queryPoints = function queryPoints (path, filter) {
  if (!paths.has(path, filter)) return 0
  const value = paths.get(path, filter)
  if (mfr.isExact(value)) return 2
  return mfr.isRange(value) ? 1 : 0
}

exports.queryBounds = function queryBounds (index, filter) {
  const { gte, lte } = exports.boundsOf(index, filter, (value, open) => mfr.isExact(value) ? value : open)
  return index.exact ? { gte, lte } : { gte: [...gte, mfr.LO], lte: [...lte, mfr.HI] }
}
