'use strict'
// Views of JavaScript do not know that messages can go. This notices what was deleted, erased, replaced
// or derived again, by whomever and also while the program was not running, and has the view forget it,
// or built anew where it cannot forget.

const crypto = require('crypto')
const path = require('path')
const { syncFiles } = require('./durable')

const changesUnacknowledgedMax = 1000

/**
 * `inside`: of flumelog-sluice. `builder`: of build.js. `warn()` is called before the view is built anew.
 * Has the view streamed to when it has forgotten what went while it was away; nobody reads it until then.
 */
module.exports = async function followPast (wrapped, builder, inside, { warn, report, isClosed }) {
  const { view, sv } = wrapped
  const canForget = typeof sv.del === 'function' && !('del' in sv.methods)
  // What has been dealt with before the feed tells of it: by seq what it will tell, if nothing else happens.
  const awaited = new Map()
  const underWay = [] // For each change of the log that is under way: what to call when it has been dealt with.
  let newest // The newest message that the feed has told of.
  // New messages up to here may be others by now than the stream has given, and are told once, as new ones.
  let doubtful = 0
  let atWork = Promise.resolve(true) // Whether the view has been mended, when that has ended.
  let position // Of the feed, as far as it has been dealt with.
  let batch = createTurn() // Ends when the next batch has been dealt with.
  let changesElsewhere = 0
  let isHeld = true // Nobody reads before the feed is followed, either.

  inside.signals.on('changing', whenChanging)
  inside.signals.on('changed', whenChanged)
  inside.signals.on('elsewhere', whenElsewhere)

  const release = wrapped.hold()
  const database = await inside.opened
  const name = consumerName(view.name)
  const known = (await database.consumers()).find(consumer => consumer.name === name)
  const last = database.last
  const feed = database.consumer(name, known ? {} : { start: 'now' })
  newest = known ? last - known.lag : last
  doubtful = await lastChangeBehind(newest)
  builder.watchFrom(newest)
  const upto = await new Promise(resolve => sv.since.once(resolve))
  if (known) {
    await catchUp(known.position)
  } else {
    // What the database has not heard of may be of another log, or older than what has gone.
    if (upto > -1 && !await buildAnew()) return
    await acknowledge() // From now on it is known.
  }
  position = known ? known.position : await feed.position()
  builder.start()
  followFeed().catch(whenDeaf)
  isHeld = false
  if (changesElsewhere > 0) waitForFeed()
  release()

  // The feed tells of the same later: there it cannot be seen where the past ends.
  async function catchUp (position) {
    const past = []
    for await (const { changes } of database.feed({ position, once: true })) {
      past.push(...changes.filter(mayBeKnown))
    }
    forget(past.map(({ seq }) => seq))
    for (const { kind, seq } of past) awaited.set(seq, kind)
  }

  async function followFeed () {
    let unacknowledged = 0
    for await (const { changes, position: upto } of feed) {
      if (isClosed()) return // Nothing is forgotten any more, and must be told again.
      const hasPast = changes.some(mayBeKnown)
      const news = changes.filter(change => !isOfThePast(change, newest) || isNews(change))
      const others = changes.filter(change => isDoubtful(change) && isNews(change))
      newest = changes.reduce((max, { seq }) => Math.max(max, seq), newest)
      forget([...news.filter(({ kind }) => kind !== 'added'), ...others].map(({ seq }) => seq))
      for (const { kind, seq } of news) if (kind === 'added') expect(seq)
      position = upto
      batch.end()
      batch = createTurn()
      // To acknowledge costs a sync of the disk. What was added may be told again, and changes nothing.
      unacknowledged += changes.length
      if (!hasPast && unacknowledged < changesUnacknowledgedMax) continue
      if (!await isMended() || isClosed()) continue
      await acknowledge()
      unacknowledged = 0
    }
  }

  async function lastChangeBehind (seq) {
    for await (const entry of database.log({ from: last, to: seq + 1, reverse: true, changes: true })) {
      if (entry.state === 'change') return entry.seq
    }
    return 0
  }

  // Whether the view may have the message as it was before.
  function mayBeKnown (change) {
    return isOfThePast(change, newest) || isDoubtful(change)
  }

  function isDoubtful ({ kind, seq }) {
    return kind === 'added' && seq > newest && seq <= doubtful
  }

  function whenElsewhere () {
    changesElsewhere++
    doubtful = inside.database().last
    if (!isHeld) waitForFeed()
  }

  // Nobody reads until the feed has told of what somebody else has changed: he may have been told that it is done.
  async function waitForFeed () {
    const release = wrapped.holdReads()
    isHeld = true
    try {
      for (let untold = await findUntold(); untold; untold = await findUntold()) await untold.ended
    } catch (error) {
      return whenDeaf(error)
    }
    isHeld = false
    release()
  }

  // Something of the past that is behind the last batch, and what ends when it has been told; or nothing.
  async function findUntold () {
    const { ended } = batch
    const known = changesElsewhere
    for await (const { changes } of database.feed({ position, once: true })) {
      if (changes.some(mayBeKnown)) return { ended }
    }
    return known === changesElsewhere ? null : { ended: null }
  }

  // The feed will not tell of it again: what was forgotten must not be there again when the power goes.
  function acknowledge () {
    const synced = syncFiles(path.dirname(inside.log.filename), view.name)
    return builder.keepOpen(synced.then(() => feed.acknowledge()))
  }

  function whenDeaf (error) {
    if (isClosed()) return
    report(`${view.name} does not hear of changes any more`, error)
    wrapped.fail(error)
  }

  // A message that has gone is told of twice: in its own turn, and in that of what has taken it away.
  function isNews ({ kind, seq }) {
    const isExpected = awaited.get(seq) === kind
    if (seq <= newest || !isExpected) awaited.delete(seq)
    return !isExpected
  }

  // The feed may tell of it before it is dealt with, and must not be acknowledged until it is.
  function whenChanging (seqs, kind) {
    for (const seq of seqs) awaited.set(seq, kind)
    work(done => underWay.push(done))
  }

  function whenChanged (seqs, failed) {
    if (failed) seqs.forEach(seq => awaited.delete(seq))
    forget(failed ? seqs.filter(seq => !inside.isLive(seq)) : seqs)
    const done = underWay.shift()
    if (done) done(true) // It may have begun before the view was there.
  }

  async function isMended () {
    let seen
    do {
      seen = atWork
      if (!await seen) return false
    } while (seen !== atWork)
    return true
  }

  function forget (seqs) {
    const seen = seqs.filter(builder.mayHaveSeen)
    if (seen.length > 0 && !isClosed()) {
      if (canForget && !seen.some(inside.isLive)) forgetThem(seen)
      else buildAnew()
    }
    wrapped.release()
  }

  // The stream brings it, but not where it has passed its place before it was restored.
  function expect (seq) {
    work(done => builder.expect(seq, isMissed => {
      if (isMissed && inside.isLive(seq) && !isClosed()) buildAnew()
      done(true)
    }))
  }

  function forgetThem (seqs) {
    const release = wrapped.hold()
    builder.hasForgotten(seqs)
    work(done => sv.del(seqs, error => {
      release()
      if (error) buildAnew()
      done(!error)
    }))
  }

  /** Resolves when the view is empty, to whether it is. */
  function buildAnew () {
    warn()
    const emptied = builder.rebuild()
    work(done => wrapped.whenCurrent(error => done(!error)))
    return emptied
  }

  function work (begin) {
    atWork = Promise.all([atWork, new Promise(begin)]).then(all => all.every(Boolean))
  }
}

function createTurn () {
  const turn = {}
  turn.ended = new Promise(resolve => { turn.end = resolve })
  return turn
}

// Whether the message was there before. One that was restored is told as one that was added, but has an old
// number.
function isOfThePast ({ kind, seq }, newest) {
  return kind !== 'added' || seq <= newest
}

// A consumer's name is 1 to 64 letters, digits, '-' and '_'.
function consumerName (viewName) {
  const name = 'flumedb-' + viewName
  if (/^[\w-]{1,64}$/.test(name)) return name
  return 'flumedb-' + crypto.createHash('sha256').update(viewName).digest('hex').slice(0, 40)
}
