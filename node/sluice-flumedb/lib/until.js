'use strict'
// A through that ends a source quietly at an event.

/** `listen(listener)` answers with what ends the listening. */
module.exports = function until (listen) {
  return function through (source) {
    let ended = null
    let reader = null
    const stop = listen(() => {
      end(true)
      source(true, () => {})
    })

    return function read (abort, cb) {
      if (ended) return cb(ended)
      if (abort) {
        end(abort)
        return source(abort, cb)
      }
      reader = cb
      source(null, (how, data) => {
        if (ended) return
        if (how) return end(how)
        reader = null
        cb(null, data)
      })
    }

    function end (how) {
      if (ended) return
      ended = how
      stop()
      const cb = reader
      reader = null
      if (cb) cb(how)
    }
  }
}
