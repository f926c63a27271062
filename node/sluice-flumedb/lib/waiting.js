'use strict'
// Who reads a view waits here until it shows what the log had when he asked.

/**
 * `covers(seq)`: the view shows all messages up to `seq`. `isReady()`: reads are let through at all.
 * Call release() whenever either may have changed.
 */
module.exports = function createWaiting ({ covers, isReady }) {
  let waiting = [] // { seq, cb, evenUnready }, in the order in which they came.

  function isDue (one) {
    return (one.evenUnready || isReady()) && covers(one.seq)
  }

  return {
    wait (seq, cb, { evenUnready = false } = {}) {
      const one = { seq, cb, evenUnready }
      if (isDue(one)) return cb()
      waiting.push(one)
    },

    release () {
      if (waiting.length === 0) return
      const due = waiting.filter(isDue)
      waiting = waiting.filter(one => !due.includes(one))
      for (const one of due) one.cb()
    },

    fail (error) {
      const all = waiting
      waiting = []
      for (const one of all) one.cb(error)
    }
  }
}
