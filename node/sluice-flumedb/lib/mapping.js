'use strict'
// FlumeDB's mapper: what the log has goes through it on the way to views and readers.

const pull = require('pull-stream')
const looper = require('pull-looper')

/** { get, stream } of the log with `mapper` applied, without waiting for the log to be open. */
module.exports = function createMapping (log, mapper) {
  if (!mapper) return { get: log.get, stream: opts => pull(log.stream(opts), looper) }
  return { get, stream }

  function get (seq, cb) {
    log.get(seq, (error, value) => error ? cb(error, value) : mapper(value, cb))
  }

  function stream (opts = {}) {
    if (opts.values === false) return pull(log.stream(opts), looper)
    const map = opts.seqs === false ? pull.asyncMap(mapper) : pull.asyncMap(mapValue)
    return pull(log.stream(opts), map, looper)
  }

  function mapValue (data, cb) {
    if (data.sync) return cb(null, data)
    mapper(data.value, (error, value) => error ? cb(error) : cb(null, { ...data, value }))
  }
}
