'use strict'
const { keyText } = require('./keys')

/** The rows of a piece, as the addon hands it over. */
function rowsOf ({ keys, seqs, values }) {
  const parsedKeys = JSON.parse(keys)
  const parsedValues = values && JSON.parse(values)
  return parsedKeys.map((key, i) => {
    const row = { key, seq: seqs[i] }
    if (parsedValues) row.value = parsedValues[i]
    return row
  })
}

/** Read options as the addon takes them. */
function readOptions ({ exact, prefix, from, to, reverse, limit }) {
  return {
    exact: keyText(exact),
    prefix: keyText(prefix),
    from: keyText(from),
    to: keyText(to),
    reverse: !!reverse,
    limit: finite(limit)
  }
}

/** A limit as the addon takes it: none where it is infinite. */
function finite (limit) {
  return limit === Infinity ? undefined : limit
}

module.exports = { rowsOf, readOptions, finite }
