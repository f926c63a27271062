'use strict'
// The messages of a log as a pull-stream. They are fetched in batches, when they are asked for: a batch
// is all that is kept, and all the depth that a sink which reads again from its callback can reach.

const messagesOfBatch = 256

/**
 * `log` is the inside of a flumelog: { opened, since, signals, decode, generation(), closedError() }.
 * `opts`: gt gte lt lte reverse limit live old seqs values. Others are ignored.
 */
module.exports = function createStream (log, opts) {
  opts = opts || {}
  const reverse = Boolean(opts.reverse)
  const live = !reverse && (Boolean(opts.live) || opts.old === false)
  const { lowest, highest } = boundsOf(opts)

  let position // The next seq that is looked at; undefined before the first fetch.
  let left = opts.limit > 0 ? opts.limit : Infinity
  let batch = []
  let used = 0 // How many of the batch have been delivered.
  let generation // Of changes to the past, when the batch was fetched.
  let database
  let isAtEnd = false
  let isFetching = false
  let reader = null // The callback of the read that waits.
  let ended = null

  log.signals.on('closed', whenClosed)

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
    if (left === 0) return finish(true)
    while (used < batch.length) {
      const message = asItIsNow(batch[used++])
      if (message) return deliver(message)
    }
    if (isAtEnd) return finish(true)
    if (!isFetching) fetchBatch()
  }

  // What was fetched before a change to the past may say something else by now, or be no more.
  function asItIsNow (message) {
    if (generation === log.generation()) return message
    const now = database.getNow(message.seq)
    return now && now.state === 'live' ? now : undefined
  }

  function deliver (message) {
    let data
    try {
      data = format(message)
    } catch (error) {
      return finish(error)
    }
    position = message.seq + (reverse ? -1 : 1)
    left--
    const cb = reader
    reader = null
    cb(null, data)
  }

  function format (message) {
    if (opts.values === false) return message.seq
    const value = log.decode(message)
    return opts.seqs === false ? value : { value, seq: message.seq }
  }

  async function fetchBatch () {
    isFetching = true
    try {
      database = await log.opened
      await collect()
    } catch (error) {
      return finish(error)
    } finally {
      isFetching = false
    }
    if (ended) return
    if (batch.length === 0 && !isAtEnd) return waitForMore()
    serve()
  }

  async function collect () {
    const last = log.since.value
    if (position === undefined) position = startOf(last)
    generation = log.generation()
    const fetched = []
    if (reverse ? position >= lowest : position <= highest) {
      for await (const message of database.log(part())) fetched.push(message)
    }
    batch = fetched
    used = 0
    isAtEnd = fetched.length < messagesOfBatch && (!live || last >= highest)
    // All there was up to `last` has been looked at, and need not be again.
    if (fetched.length === 0 && !reverse) position = Math.max(position, last + 1)
  }

  function part () {
    const limit = Math.min(messagesOfBatch, left)
    if (reverse) return { from: position, to: lowest, reverse, limit }
    return highest === Infinity ? { from: position, limit } : { from: position, to: highest, limit }
  }

  function startOf (last) {
    if (reverse) return Math.min(highest, last)
    return opts.old === false ? Math.max(lowest, last + 1) : lowest
  }

  function waitForMore () {
    if (log.since.value >= position) fetchBatch()
    else log.signals.once('moved', fetchBatch)
  }

  function whenClosed () {
    // Who follows has been told all there was. Who was reading what is old has not.
    finish(live ? true : log.closedError())
  }

  function finish (how) {
    if (ended) return
    ended = how
    batch = []
    log.signals.removeListener('closed', whenClosed)
    log.signals.removeListener('moved', fetchBatch)
    const cb = reader
    reader = null
    if (cb) cb(how)
  }
}

// The lowest and the highest seq that are meant, both inclusive.
function boundsOf (opts) {
  let lowest = 1
  let highest = Infinity
  if (isNumber(opts.gt)) lowest = Math.max(lowest, Math.floor(opts.gt) + 1)
  if (isNumber(opts.gte)) lowest = Math.max(lowest, Math.ceil(opts.gte))
  if (isNumber(opts.lt)) highest = Math.min(highest, Math.ceil(opts.lt) - 1)
  if (isNumber(opts.lte)) highest = Math.min(highest, Math.floor(opts.lte))
  return { lowest, highest }
}

function isNumber (value) {
  return typeof value === 'number' && !Number.isNaN(value)
}
