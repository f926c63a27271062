'use strict'
// A pull-stream source that is known only later.

/** `begin(cb)` calls back once with (error, source); until then a read waits. */
module.exports = function deferred (begin) {
  let source = null
  let hasBegun = false
  let aborted = null
  let waiting = null

  return function read (abort, cb) {
    if (source) return source(abort, cb)
    if (aborted) return cb(aborted)
    if (abort) return abortEarly(abort, cb)
    waiting = cb
    if (hasBegun) return
    hasBegun = true
    begin(whenKnown)
  }

  function whenKnown (error, known) {
    if (aborted) return error || known(aborted, () => {})
    const cb = waiting
    waiting = null
    if (error) {
      aborted = error
      return cb(error)
    }
    source = known
    source(null, cb)
  }

  function abortEarly (abort, cb) {
    aborted = abort
    const reader = waiting
    waiting = null
    if (reader) reader(abort)
    cb(abort)
  }
}
