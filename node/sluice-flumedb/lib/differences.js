'use strict'
// The rows of a range and what becomes of them, for readers who want to hear of deletions too:
//   { key, seq }               a row; one that was told says something else now, or is another message's
//   { type: 'del', key, seq }  the key is no more there, or is another message's, which is told next
//   { type: 'fresh' }          all that was told is void, because the reader was slow or the view has been built
//                              anew: it is told again
//   { sync: true }             what was there at first has been told

const { compare } = require('./keys')
const { lastOfEachKey, lastOfKey } = require('./rows')

/** `kept`: of kept.js. Ends when the signal is aborted. */
module.exports = async function * differences (kept, range, signal, how) {
  const told = { isFirst: true }
  for (;;) {
    const leaving = whenLeft(kept, signal)
    try {
      yield * ofView(await kept.ask(view => view), { ...range, signal: leaving.signal }, how, told)
    } catch (error) {
      if (error.code !== 'not_found' || !leaving.signal.aborted) throw error
    } finally {
      leaving.stop()
    }
    if (signal.aborted || !leaving.signal.aborted) return
  }
}

// A signal that is aborted with the other one, and when the database's view gives way to a new one.
function whenLeft (kept, signal) {
  const aborter = new AbortController()
  const abort = () => aborter.abort()
  const stop = kept.on('leaving', abort)
  signal.addEventListener('abort', abort)
  return {
    signal: aborter.signal,
    stop () {
      stop()
      signal.removeEventListener('abort', abort)
    }
  }
}

async function * ofView (view, range, { old, sync, reverse }, told) {
  for await (const { fresh, gone, added } of view.follow(range)) {
    if (!fresh) {
      yield * changes(view, gone, added)
      continue
    }
    const { isFirst } = told
    told.isFirst = false
    if (!isFirst) yield { type: 'fresh' }
    if (!isFirst || old) yield * lastOfEachKey(reverse ? added.reverse() : added, reverse)
    if (isFirst && sync) yield { sync: true }
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
