'use strict'
// A random history below FlumeDB: messages are appended, deleted, erased, replaced and restored, and the database is
// opened again.

const createLog = require('flumelog-sluice')
const { answer } = require('./help')
const { newMessage } = require('./flume-views')

/**
 * `open()` gives a database with views. `live`: the messages by seq, kept up to date. `tell` is called with
 * { wished } before each change of the log, and behind it with what it has { removed } and { put }.
 */
module.exports = function createHistory (open, random, live = new Map(), tell = () => {}) {
  const deleted = new Map()
  const history = { db: open(), live, step }
  return history

  async function step () {
    const what = random.below(10)
    if (what < 4 || live.size === 0) return append()
    if (what < 7) return remove('del')
    if (what === 7) return remove('erase')
    if (what === 8) return random.below(2) ? replace() : restore()
    return reopen()
  }

  async function append () {
    const messages = Array.from({ length: 1 + random.below(6) }, () => newMessage(random))
    tell({ wished: { append: messages } })
    const last = await answer(cb => history.db.append(messages, cb))
    put(messages.map((message, i) => [last - messages.length + 1 + i, message]))
  }

  async function remove (how) {
    const seqs = Array.from({ length: 1 + random.below(3) }, () => random.of([...live.keys()]))
    tell({ wished: { remove: seqs } })
    if (how === 'del') await answer(cb => history.db.del(random.below(2) || seqs.length > 1 ? seqs : seqs[0], cb))
    else await answer(cb => logOf(history.db).erase(seqs, cb))
    for (const seq of seqs) {
      if (how === 'del' && live.has(seq)) deleted.set(seq, live.get(seq))
      live.delete(seq)
    }
    tell({ removed: seqs })
  }

  async function replace () {
    const seq = random.of([...live.keys()])
    const message = newMessage(random)
    tell({ wished: { put: [[seq, message]] } })
    await answer(cb => logOf(history.db).replace(seq, message, cb))
    put([[seq, message]])
  }

  async function restore () {
    if (deleted.size === 0) return
    const seq = random.of([...deleted.keys()])
    const message = deleted.get(seq)
    tell({ wished: { put: [[seq, message]] } })
    const database = await logOf(history.db).sluice()
    await database.restore(seq)
    deleted.delete(seq)
    put([[seq, message]])
  }

  function put (messages) {
    for (const [seq, message] of messages) live.set(seq, message)
    tell({ put: messages })
  }

  async function reopen () {
    await answer(history.db.close)
    history.db = open()
  }
}

// The flumelog below either FlumeDB, which hands on its `since`.
function logOf (db) {
  return createLog.inside(db.since).log
}
