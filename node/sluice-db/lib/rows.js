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
    exact: keyText(exact), prefix: keyText(prefix), from: keyText(from), to: keyText(to), reverse: !!reverse, limit
  }
}

module.exports = { rowsOf, readOptions }
