'use strict'
// Notices what is appended and what is changed, by whomever: the database may have other users in this
// program. What the log itself changes is announced with its seqs, so that who keeps something made of
// messages can forget these before the caller is told; of all else only that something has changed.

const EventEmitter = require('events')

/**
 * `signals` has the events
 *   'moved'                  the last message is another one, since has been set
 *   'changing', seqs, kind   the log begins to change these messages, which are live: 'gone' or 'changed'
 *                            is what a feed will say of them
 *   'changed', seqs, failed  it has, or has failed, and then may have done a part of it
 *   'elsewhere'              an entry of somebody else may have changed any message
 */
module.exports = class Past {
  constructor (since) {
    this.since = since
    this.signals = new EventEmitter().setMaxListeners(0)
    this.generation = 0 // Counts the changes that were noticed.
    this.database = null
    this.looked = 0 // The entry up to which was looked.
    this.newest = {} // What newestLive() has found.
    this.appending = 0 // Appends of the log that are under way.
    this.changing = 0 // Changes of the log that are under way.
    this.unexplained = new Set() // Entries of changes: the log's own, or not.
  }

  follow (database) {
    this.database = database
    this.looked = database.last
    this.since.set(lastMessage(database, database.last))
    this.unfollow = database.onEntry(last => this.appending === 0 && this.look(last))
  }

  /**
   * Runs `append`, which answers with the last message that it made. Who follows the log hears of it when
   * this resolves, and not before: so that who has appended is told next.
   */
  async append (append) {
    this.appending++
    try {
      return await append()
    } finally {
      this.appending--
      this.look(this.database.last)
    }
  }

  /** Looks at the entries up to `last`, once at each. */
  look (last) {
    let newest = this.since.value
    let hasChanges = false
    while (this.looked < last) {
      const entry = this.database.getNow(++this.looked)
      if (entry && entry.state !== 'change') {
        newest = this.looked
        continue
      }
      hasChanges = true
      this.unexplained.add(this.looked)
    }
    if (hasChanges) this.generation++
    if (newest !== this.since.value) this.tell(() => this.moveTo(newest))
    if (this.changing === 0) this.explainAll()
  }

  /** Notices now what would be told soon: who has changed the past through the database reads on at once. */
  lookForChanges () {
    if (!this.database || this.looked >= this.database.last) return
    for (let seq = this.looked + 1; seq <= this.database.last; seq++) {
      const entry = this.database.getNow(seq)
      if (!entry || entry.state === 'change') return this.look(this.database.last)
    }
  }

  moveTo (seq) {
    this.since.set(seq)
    this.signals.emit('moved')
  }

  // What a listener throws is his own affair, and not that of who has appended.
  tell (work) {
    try {
      work()
    } catch (error) {
      process.nextTick(() => { throw error })
    }
  }

  /** Runs `change`, which answers with the entry that it made (0: none), as a change of `seqs`. */
  async make (kind, seqs, change) {
    const concerned = seqs.filter(seq => this.isLive(seq))
    this.changing++
    this.signals.emit('changing', concerned, kind)
    let failed = true
    try {
      const at = await change()
      this.look(at)
      this.unexplained.delete(at)
      failed = false
    } finally {
      this.generation++
      this.changing--
      this.signals.emit('changed', concerned, failed)
      if (this.changing === 0) this.explainAll()
    }
  }

  isLive (seq) {
    const message = this.database.getNow(seq)
    return message !== undefined && message.state === 'live'
  }

  /** The newest message that is there now; -1 if there is none. Who has seen it has seen all. */
  newestLive () {
    const { seq, since, generation } = this.newest
    if (since === this.since.value && generation === this.generation) return seq
    let found = this.since.value
    while (found > 0 && !this.isLive(found)) found--
    if (found <= 0) found = -1
    this.newest = { seq: found, since: this.since.value, generation: this.generation }
    return found
  }

  // What is left when none of the log's own changes is under way is somebody else's.
  explainAll () {
    if (this.unexplained.size === 0) return
    this.unexplained.clear()
    this.signals.emit('elsewhere')
  }

  stop () {
    if (this.unfollow) this.unfollow()
    this.signals.emit('closed')
  }
}

function lastMessage (database, last) {
  for (let seq = last; seq > 0; seq--) {
    const entry = database.getNow(seq)
    if (entry && entry.state !== 'change') return seq
  }
  return -1
}
