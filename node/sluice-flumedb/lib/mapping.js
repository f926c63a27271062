'use strict'
// FlumeDB's mapper: what the log has goes through it on the way to views and readers.

const pull = require('pull-stream')
const looper = require('pull-looper')

/**
 * { get, stream } of the log with `mapper` applied, without waiting for the log to be open.
 * `inside`: of flumelog-sluice, if the log is one of its.
 */
module.exports = function createMapping (log, mapper, inside) {
  if (!mapper) return { get: log.get, stream: opts => pull(log.stream(opts), looper) }
  return { get, stream }

  function get (seq, cb) {
    log.get(seq, (error, value) => error ? cb(error, value) : mapper(value, cb))
  }

  function stream (opts = {}) {
    if (opts.values === false) return pull(log.stream(opts), looper)
    const mapped = pull(log.stream({ ...opts, seqs: true }), pull.asyncMap(mapValue), pull.filter(Boolean))
    return pull(mapped, opts.seqs === false ? pull.map(data => data.sync ? data : data.value) : null, looper)
  }

  function mapValue (data, cb) {
    if (data.sync) return cb(null, data)
    const generation = inside && inside.generation()
    mapper(data.value, (error, value) => {
      if (error) return cb(error)
      if (inside && inside.generation() !== generation) return mapAgain(data, cb)
      cb(null, { ...data, value })
    })
  }

  // The past has changed while the mapper had the message, which may be another one now, or be no more.
  function mapAgain (data, cb) {
    if (!inside.isLive(data.seq)) return cb(null, null)
    log.get(data.seq, (error, value) => error ? cb(error) : mapValue({ ...data, value }, cb))
  }
}
