'use strict'
// A pull-stream source of what an async iterator gives.

const itemsAtOnce = 256

/**
 * `begin(signal)` resolves with the iterator, when the source is first read; the signal is aborted when nobody reads
 * any more, for an iterator that waits. Several items are fetched at
 * once, and handed out without waiting; one, where the iterator `isLive` and may wait for the next.
 * `kept`: of kept.js, which gives those who read time to come to the end before it closes. What is left
 * then ends with `closedError()`, or quietly where the reader waits for no end of it (`hasNoEnd`).
 */
module.exports = function createSource (begin, kept, { isLive = false, hasNoEnd = isLive } = {}) {
  const { signals, closedError, whileOpen } = kept
  const atOnce = isLive ? 1 : itemsAtOnce
  const aborter = new AbortController()
  let iterator = null
  let items = []
  let used = 0
  let isAtEnd = false
  let isFetching = false
  let reader = null
  let ended = null

  signals.on('closed', whenClosed)

  return function read (abort, cb) {
    if (abort) {
      finish(abort)
      return cb(abort)
    }
    if (ended) return cb(ended)
    reader = cb
    serve()
  }

  function serve () {
    if (used < items.length) {
      const cb = reader
      reader = null
      return cb(null, items[used++])
    }
    if (isAtEnd) return finish(true)
    if (isFetching) return
    const fetched = fetch().then(() => process.nextTick(afterFetch))
    if (!isLive) whileOpen(fetched)
  }

  function afterFetch () {
    isFetching = false
    if (reader && !ended) serve()
  }

  async function fetch () {
    isFetching = true
    const fetched = []
    try {
      iterator = iterator || await begin(aborter.signal)
      while (fetched.length < atOnce && !isAtEnd) {
        const { done, value } = await iterator.next()
        if (done) isAtEnd = true
        else fetched.push(value)
      }
    } catch (error) {
      return process.nextTick(finish, error)
    }
    items = fetched
    used = 0
  }

  function whenClosed () {
    finish(hasNoEnd ? true : closedError())
  }

  function finish (how) {
    if (ended) return
    ended = how
    items = []
    signals.removeListener('closed', whenClosed)
    aborter.abort()
    if (iterator) iterator.return().catch(() => {})
    const cb = reader
    reader = null
    if (cb) cb(how)
  }
}
