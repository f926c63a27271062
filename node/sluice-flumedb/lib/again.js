'use strict'
// A live source that tells what was told before once more, when the view has been built anew: programs
// listen in this way for messages that they can read only since a key has come. It listens from the beginning, and
// keeps one answer until it is read.

/** `live`: the source. `onRebuilt(listener)` gives what ends the listening; `old()` a source of what there was. */
module.exports = function again (live, onRebuilt, old) {
  let repeated = null // The source that is told once more.
  let isRepeating = false // A read of it is under way.
  let isReading = false // A read of the live one is.
  let next = null // What that has answered, and nobody has had yet.
  let reader = null
  let ended = null
  const stop = onRebuilt(repeat)
  listen()

  return function read (abort, cb) {
    if (abort) return finish(abort, () => cb(abort))
    if (ended) return cb(ended)
    reader = cb
    serve()
  }

  function repeat () {
    if (repeated) repeated(true, () => {})
    repeated = old()
    isRepeating = false
    if (reader) serve()
  }

  function serve () {
    if (repeated) return readRepeated(repeated)
    if (next) return hand(next)
    if (!isReading) listen()
  }

  function listen () {
    isReading = true
    live(null, (end, data) => {
      isReading = false
      next = { end, data }
      if (reader && !repeated) hand(next)
    })
  }

  function readRepeated (source) {
    if (isRepeating) return
    isRepeating = true
    source(null, (end, data) => {
      if (source !== repeated) return
      isRepeating = false
      if (end) repeated = null
      if (!reader) return
      if (end) serve()
      else answer(null, data)
    })
  }

  function hand ({ end, data }) {
    next = null
    if (!end) return answer(null, data)
    ended = end
    stop()
    answer(end)
  }

  function answer (end, data) {
    const cb = reader
    reader = null
    cb(end, data)
  }

  function finish (how, cb) {
    if (!ended) {
      ended = how
      stop()
      if (repeated) repeated(how, () => {})
      repeated = null
    }
    const waiting = reader
    reader = null
    live(how, () => {
      if (waiting) waiting(how)
      cb()
    })
  }
}
