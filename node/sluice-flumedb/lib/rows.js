'use strict'
// Rows of a view in which the last writer of a key wins.

const { compare } = require('./keys')

/** Of the rows of each key the one of the newest message. `rows` in the order of the view, or reversed. */
exports.lastOfEachKey = async function * (rows, reverse) {
  let previous = null
  for await (const row of rows) {
    const isSameKey = previous !== null && compare(previous.key, row.key) === 0
    if (reverse && !isSameKey) yield row
    if (!reverse && previous !== null && !isSameKey) yield previous
    previous = row
  }
  if (!reverse && previous !== null) yield previous
}

/** The row of the newest message with this key; undefined if there is none. */
exports.lastOfKey = async function (view, key) {
  const [row] = await view.all({ exact: key, reverse: true, limit: 1 })
  return row
}

/** Those that are of messages up to `seq`. */
exports.upTo = async function * (rows, seq) {
  for await (const row of rows) {
    if (row.seq <= seq) yield row
  }
}

/** The same rows, of which the first have been read. */
exports.begun = async function (rows) {
  const iterator = rows[Symbol.asyncIterator]()
  let first = await iterator.next()
  return {
    next () {
      const answer = first || iterator.next()
      first = null
      return answer
    },
    return: () => iterator.return()
  }
}
