'use strict'
// The messages of a log as a pull-stream. They are fetched in batches, when they are asked for: a batch
// is all that is kept, and all the depth that a sink which reads again from its callback can reach.

const messagesOfBatch = 256

/**
 * `log` is the inside of a flumelog: { opened, database(), since, signals, decode,
 * generation(), closedError() }.
 * `opts`: gt gte lt lte reverse limit live old seqs values. Others are ignored, but for `waits(upto)`, which is called
 * when all up to message `upto` has been told and a live stream waits for what comes behind it.
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
    if (!isFetching) findMore()
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

  function findMore () {
    database = log.database()
    if (!database) return whenOpen()
    if (position === undefined) position = startOf(log.since.value)
    if (live && position > log.since.value) return waitForEntry()
    fetchBatch()
  }

  function whenOpen () {
    isFetching = true
    log.opened.then(() => {
      isFetching = false
      process.nextTick(() => ended || findMore())
    }, error => process.nextTick(finish, error))
  }

  function fetchBatch () {
    isFetching = true
    collect().then(fetched => {
      isFetching = false
      process.nextTick(startBatch, fetched)
    }, error => process.nextTick(finish, error))
  }

  async function collect () {
    const fetched = { messages: [], last: log.since.value, generation: log.generation() }
    if (reverse ? position >= lowest : position <= highest) {
      for await (const message of database.log(part())) fetched.messages.push(message)
    }
    return fetched
  }

  // `last`: the log's last message when these were fetched.
  function startBatch ({ messages, last, generation: asOf }) {
    if (ended) return
    batch = messages
    used = 0
    generation = asOf
    isAtEnd = messages.length < messagesOfBatch && (!live || last >= highest)
    if (messages.length === 0 && !reverse) position = Math.max(position, last + 1)
    if (reader) serve()
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

  function waitForEntry () {
    if (position > highest) return finish(true)
    log.signals.once('moved', whenMoved)
    if (opts.waits) opts.waits(position - 1)
  }

  // What has come is handed out before its callbacks are called, so that who appends finds it told.
  function whenMoved () {
    const last = log.since.value
    if (last - position >= messagesOfBatch) return fetchBatch()
    const messages = []
    for (let seq = position; seq <= Math.min(last, highest); seq++) {
      const message = database.getNow(seq)
      if (message && message.state === 'live') messages.push(message)
    }
    startBatch({ messages, last, generation: log.generation() })
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
    log.signals.removeListener('moved', whenMoved)
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
