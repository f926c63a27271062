'use strict'
// flumeview-level, kept by the database. It differs in what happens to messages that go: they are gone
// from get and read at once, and where several messages had a key, the last of those that are left shows.
//
//     db.use('byAuthor', require('sluice-flumedb/level')(1, (msg, seq) => [msg.author]))

const pull = require('pull-stream')
const again = require('../lib/again')
const until = require('../lib/until')
const createGone = require('../lib/gone')
const keepView = require('../lib/kept')
const createSource = require('../lib/source')
const differences = require('../lib/differences')
const { isKey, toRow, fromRow, rangeOf, isWithin } = require('../lib/keys')
const { lastOfEachKey, lastOfKey, upTo, begun } = require('../lib/rows')

/** `map(value, seq)` gives the keys of a message, in an array. What is no key gives no row. */
module.exports = function createLevel (version, map) {
  return function createView (log, name) {
    const kept = keepView(log, name, version, (value, seq) => map(value, seq).filter(isKey).map(toRow))
    const { inside } = kept
    const gone = createGone()
    const beginnings = new Set() // Of live readers, who wait for what there was.
    inside.signals.on('changing', remember)
    kept.on('closed', () => inside.signals.removeListener('changing', remember))

    return {
      isKeptBySluice: true,
      since: kept.since,
      signals: kept.signals,
      methods: { get: 'async', read: 'source', del: 'async' },
      get,
      read,
      del,
      createSink: kept.createSink,
      close: kept.close,
      destroy: kept.destroy
    }

    function get (key, cb) {
      kept.whileOpen(findLast(key)).then(
        row => process.nextTick(whenFound, key, row, cb),
        error => process.nextTick(cb, error)
      )
    }

    function findLast (key) {
      return kept.ask(view => isKey(key) ? lastOfKey(view, toRow(key)) : undefined)
    }

    function whenFound (key, row, cb) {
      if (!row) return gone.seqOf(key) ? cb(deleted(key), null, gone.seqOf(key)) : cb(notFound(key))
      log.get(row.seq, (error, value) => {
        // It has gone since the row was read.
        if (error && error.code === 'flumelog:deleted') return get(key, cb)
        if (error) return cb(error, null, row.seq)
        cb(null, value, row.seq)
      })
    }

    // A key that others have, too, is found, and nobody asks whose it was.
    function remember (seqs) {
      if (!kept.isThere()) return
      for (const seq of seqs) {
        for (const row of kept.keysOfLive(seq)) gone.add(fromRow(row), seq)
      }
    }

    /** Deletes the messages that have this key. */
    function del (key, cb) {
      kept.ask(view => isKey(key) ? view.all({ exact: toRow(key) }) : []).then(
        rows => inside.log.del(rows.map(row => row.seq), cb),
        error => process.nextTick(cb, error)
      )
    }

    /**
     * `opts`: gt gte lt lte reverse limit live old sync keys values seqs, as flumeview-level has them;
     * with `deletions` a live reader is told what goes, too (lib/differences.js).
     */
    function read (opts = {}) {
      if (kept.isClosed()) return pull.error(kept.closedError())
      const closing = until(listener => kept.on('closing', listener))
      const rows = isLive(opts) ? pull(liveRows(opts), closing) : pull(oldRows(opts, Infinity), withValues(opts))
      return pull(
        rows,
        pull.map(item => isRow(item) ? format(item, opts) : formatNotice(item)),
        opts.limit > 0 ? pull.take(opts.limit) : null
      )
    }

    // Items { key, seq } of the moment in which this begins.
    function oldRows (opts, seq, how) {
      const options = { ...rangeOf(opts), reverse: Boolean(opts.reverse) }
      return createSource(async () => {
        // A live reader who has begun before is told first.
        if (!how) await Promise.all(beginnings)
        return kept.ask(view => {
          const rows = view.read(options)
          return begun(lastOfEachKey(seq === Infinity ? rows : upTo(rows, seq), options.reverse))
        })
      }, kept, how)
    }

    function liveRows (opts) {
      if (opts.deletions) {
        const how = { old: opts.old !== false, sync: opts.sync !== false, reverse: Boolean(opts.reverse) }
        const begin = async signal => differences(kept, rangeOf(opts), signal, how)
        const all = createSource(begin, kept, { isLive: true })
        return pull(all, withValues(opts))
      }
      const seq = kept.since.value
      return cat([
        opts.old === false ? pull.empty() : beforeOthers(pull(oldRows(opts, seq, { hasNoEnd: true }), withValues(opts))),
        // It tells where the old ends: where no old was asked for, it is not said.
        opts.sync === false || opts.old === false ? pull.empty() : pull.once({ sync: true }),
        newRows(opts, seq)
      ])
    }

    function beforeOthers (source) {
      return function read (abort, cb) {
        let end
        const answered = new Promise(resolve => { end = resolve })
        beginnings.add(answered)
        source(abort, (...answer) => {
          cb(...answer)
          beginnings.delete(answered)
          end()
        })
      }
    }

    // Not read from the view: what comes is told as soon as the one who has appended it was.
    function newRows (opts, seq) {
      const range = rangeOf(opts)
      const come = pull(
        log.stream({ gt: seq, live: true }),
        soon(),
        pull.through(({ seq: told }) => { seq = told }),
        pull.map(({ value, seq }) => map(value, seq).filter(isKey)
          .filter(key => isWithin(range, key))
          .map(key => ({ key: toRow(key), seq, value }))),
        pull.flatten()
      )
      return again(come, listener => kept.on('rebuilt', listener), () => pull(oldRows(opts, seq, { hasNoEnd: true }), withValues(opts)))
    }

    function withValues (opts) {
      if (opts.values === false) return null
      return pull(pull.asyncMap(addValue), pull.filter(item => item !== null))
    }

    function addValue (item, cb) {
      if (!isRow(item)) return cb(null, item)
      log.get(item.seq, (error, value) => {
        if (!error) return cb(null, { ...item, value })
        if (error.code === 'flumelog:deleted') return cb(null, null)
        cb(error)
      })
    }
  }
}

// Hands on what comes at once together, when who has brought it has been told.
function soon () {
  let isSoon = false
  return pull.asyncMap((data, cb) => {
    if (isSoon) return cb(null, data)
    setImmediate(() => {
      isSoon = true
      cb(null, data)
      isSoon = false
    })
  })
}

function isLive (opts) {
  return opts.live === true || opts.old === false
}

function isRow (item) {
  return !item.sync && item.type === undefined
}

function format ({ key, seq, value }, { keys = true, seqs = true, values = true }) {
  const formatted = {}
  if (keys) formatted.key = fromRow(key)
  if (seqs) formatted.seq = seq
  if (values) formatted.value = value
  const members = Object.keys(formatted)
  if (members.length === 0) return value
  return members.length === 1 ? formatted[members[0]] : formatted
}

function formatNotice (item) {
  return item.type === 'del' ? { ...item, key: fromRow(item.key) } : item
}

// One source after the other; an abort reaches all of them.
function cat (sources) {
  let ended = null
  return function read (abort, cb) {
    if (abort) {
      ended = abort
      for (const source of sources) source(abort, () => {})
      return cb(abort)
    }
    if (ended || sources.length === 0) return cb(ended || true)
    sources[0](null, (end, data) => {
      if (!end) return cb(null, data)
      if (ended || end !== true) return cb(ended || end)
      sources = sources.slice(1)
      read(null, cb)
    })
  }
}

function deleted (key) {
  return Object.assign(notFound(key), { code: 'flumelog:deleted' })
}

function notFound (key) {
  const error = new Error('Key not found in database [' + key + ']')
  return Object.assign(error, { name: 'NotFoundError', notFound: true, status: 404 })
}
