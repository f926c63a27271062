'use strict'
// Pull-stream sources of what is told from now on. Who is slow has it kept for him.

module.exports = function createNotify () {
  const listeners = new Set()
  notify.listen = listen
  notify.end = how => [...listeners].forEach(listener => listener.end(how))
  notify.hasListeners = () => listeners.size > 0
  return notify

  function notify (data) {
    for (const listener of [...listeners]) listener.push(data)
  }

  /** A source of `first` and then of all that notify() is called with. */
  function listen (first) {
    const kept = [first]
    let reader = null
    let ended = null
    const listener = { push, end }
    listeners.add(listener)
    return read

    function read (abort, cb) {
      if (abort) {
        end(abort)
        return cb(abort)
      }
      if (kept.length > 0) return cb(null, kept.shift())
      if (ended) return cb(ended)
      reader = cb
    }

    function push (data) {
      if (!reader) return kept.push(data)
      const cb = reader
      reader = null
      cb(null, data)
    }

    function end (how) {
      ended = how
      listeners.delete(listener)
      const cb = reader
      reader = null
      if (cb) cb(how)
    }
  }
}
