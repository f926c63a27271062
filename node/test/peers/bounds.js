'use strict'
// In the place of flumeview-query/query: our bounds in an index.

const plan = require('../../sluice-flumedb/lib/plan')

module.exports = function bounds (index, filter, exact) {
  return plan.queryBounds({ ...index, exact: Boolean(exact) }, filter)
}
