'use strict'
// A through that can be shut from outside, and tells what has passed and how its source has ended.

/** `passed(data)` is called before the data goes on, `ended(how)` once if it was the source that ended. */
module.exports = function createValve ({ passed, ended }) {
  let source = null
  let isShut = false
  let waiting = null

  function valve (read) {
    source = read
    if (isShut) source(true, () => {})
    return function (abort, cb) {
      if (isShut) return cb(abort || true)
      if (abort) isShut = true
      else waiting = cb
      read(abort, abort ? cb : whenRead)
    }
  }

  function whenRead (end, data) {
    if (isShut) return
    const cb = waiting
    waiting = null
    if (end) {
      isShut = true
      ended(end)
    } else {
      passed(data)
    }
    cb(end, data)
  }

  valve.shut = function () {
    if (isShut) return
    isShut = true
    const cb = waiting
    waiting = null
    if (source) source(true, () => {})
    if (cb) cb(true)
  }

  return valve
}
