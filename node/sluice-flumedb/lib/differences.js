'use strict'
// The rows of a range and what becomes of them, for readers who want to hear of deletions too:
//   { key, seq }               a row; one that was told says something else now, or is another message's
//   { type: 'del', key, seq }  the key is no more there, or is another message's, which is told next
//   { type: 'fresh' }          all that was told is void, because the reader was slow: it is told again
//   { sync: true }             what was there at first has been told

const { compare } = require('./keys')
const { lastOfEachKey, lastOfKey } = require('./rows')

module.exports = async function * differences (view, range, { old, sync, reverse }) {
  let isFirst = true
  for await (const { fresh, gone, added } of view.follow(range)) {
    if (!fresh) {
      yield * changes(view, gone, added)
      continue
    }
    if (!isFirst) yield { type: 'fresh' }
    if (!isFirst || old) yield * lastOfEachKey(reverse ? added.reverse() : added, reverse)
    if (isFirst && sync) yield { sync: true }
    isFirst = false
  }
}

async function * changes (view, gone, added) {
  for (const { key, seq } of gone) {
    if (added.some(row => compare(row.key, key) === 0)) continue
    const heir = await lastOfKey(view, key)
    if (heir && heir.seq > seq) continue // It had been written over.
    yield { type: 'del', key, seq }
    if (heir) yield heir
  }
  for (const row of added.sort((a, b) => a.seq - b.seq)) {
    const last = await lastOfKey(view, row.key)
    if (last && last.seq === row.seq) yield row
  }
}
