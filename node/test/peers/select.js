'use strict'
// In the place of flumeview-query/select: our choice of an index.

const plan = require('../../sluice-flumedb/lib/plan')

module.exports = function select (indexes, filter, withScores) {
  const chosen = plan.choose(indexes, filter, plan.queryPoints)
  return withScores ? chosen : chosen.index
}
