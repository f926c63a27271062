'use strict'
// Views of JavaScript do not know that messages can go. This notices what was deleted, erased, replaced
// or derived again, by whomever and also while the program was not running, and has the view forget it,
// or built anew where it cannot forget.

const crypto = require('crypto')

const changesUnacknowledgedMax = 1000

/**
 * `inside`: of flumelog-sluice. `builder`: of build.js. `warn()` is called before the view is built anew.
 * Resolves when the view may be streamed to, with whether the database has not heard of it before.
 */
module.exports = async function followPast (wrapped, builder, inside, { warn, report, isClosed }) {
  const { view, sv } = wrapped
  const canForget = typeof sv.del === 'function' && !('del' in sv.methods)
  // The log's own changes are dealt with when they are made, and need not be when the feed tells of them.
  const awaited = new Set()
  let atWork = Promise.resolve(true) // Whether the view has been mended, when that has ended.

  inside.signals.on('changing', seqs => seqs.forEach(seq => awaited.add(seq)))
  inside.signals.on('changed', whenChanged)
  inside.signals.on('elsewhere', wrapped.release)

  const { feed, isNew, appended } = await openFeed(await inside.opened)
  followFeed().catch(error => isClosed() || report(`${view.name} does not hear of changes any more`, error))
  return isNew

  // A view that the database has not heard of begins with what comes now.
  async function openFeed (database) {
    const name = consumerName(view.name)
    const known = (await database.consumers()).find(consumer => consumer.name === name)
    const appended = database.last - (known ? known.lag : 0)
    const feed = database.consumer(name, known ? {} : { start: 'now' })
    if (!known) await feed.acknowledge()
    return { feed, isNew: !known, appended }
  }

  async function followFeed () {
    let newest = appended
    let unacknowledged = 0
    for await (const { changes } of feed) {
      // A message that was restored is told as one that was added, but has an old number.
      const isNew = ({ kind, seq }) => kind === 'added' && seq > newest
      const ofThePast = changes.filter(change => !isNew(change)).map(({ seq }) => seq)
      newest = changes.filter(isNew).reduce((max, { seq }) => Math.max(max, seq), newest)
      forget(ofThePast.filter(seq => !awaited.delete(seq)))
      // To acknowledge costs a sync of the disk. What was added may be told again, and changes nothing.
      unacknowledged += changes.length
      if (ofThePast.length === 0 && unacknowledged < changesUnacknowledgedMax) continue
      if (!await atWork) continue
      await feed.acknowledge()
      unacknowledged = 0
    }
  }

  function whenChanged (seqs, failed) {
    if (failed) seqs.forEach(seq => awaited.delete(seq))
    forget(failed ? seqs.filter(seq => !inside.isLive(seq)) : seqs)
  }

  function forget (seqs) {
    const seen = seqs.filter(builder.mayHaveSeen)
    if (seen.length > 0 && !isClosed()) {
      if (canForget && !seen.some(inside.isLive)) forgetThem(seen)
      else buildAnew()
    }
    wrapped.release()
  }

  function forgetThem (seqs) {
    const release = wrapped.hold()
    work(done => sv.del(seqs, error => {
      release()
      if (error) buildAnew()
      done(!error)
    }))
  }

  function buildAnew () {
    warn()
    builder.rebuild()
    work(done => wrapped.whenCurrent(error => done(!error)))
  }

  function work (begin) {
    atWork = Promise.all([atWork, new Promise(begin)]).then(all => all.every(Boolean))
  }
}

// A consumer's name is 1 to 64 letters, digits, '-' and '_'.
function consumerName (viewName) {
  const name = 'flumedb-' + viewName
  if (/^[\w-]{1,64}$/.test(name)) return name
  return 'flumedb-' + crypto.createHash('sha256').update(viewName).digest('hex').slice(0, 40)
}
