'use strict'
// Notices what is appended and what is changed, by whomever: the database may have other users in this
// program. What the log itself changes is announced with its seqs, so that who keeps something made of
// messages can forget these before the caller is told; of all else only that something has changed.

const EventEmitter = require('events')

/**
 * `signals` has the events
 *   'moved'                  the last message is another one, since has been set
 *   'changing', seqs         the log begins to change these messages, which are live
 *   'changed', seqs          it has, or has failed
 *   'elsewhere'              an entry of somebody else may have changed any message
 */
module.exports = class Past {
  constructor (since) {
    this.since = since
    this.signals = new EventEmitter().setMaxListeners(0)
    this.generation = 0 // Counts the changes that were noticed.
    this.database = null
    this.looked = 0 // The entry up to which was looked.
    this.changing = 0 // Changes of the log that are under way.
    this.unexplained = new Set() // Entries of changes: the log's own, or not.
  }

  follow (database) {
    this.database = database
    this.looked = database.last
    this.since.set(lastMessage(database, database.last))
    this.unfollow = database.onEntry(last => this.look(last))
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
    if (newest !== this.since.value) {
      this.since.set(newest)
      this.signals.emit('moved')
    }
    if (this.changing === 0) this.explainAll()
  }

  /** Runs `change`, which answers with the entry that it made (0: none), as a change of `seqs`. */
  async make (seqs, change) {
    const concerned = seqs.filter(seq => this.isLive(seq))
    this.changing++
    this.signals.emit('changing', concerned)
    try {
      const at = await change()
      this.look(at)
      this.unexplained.delete(at)
    } finally {
      this.generation++
      this.changing--
      this.signals.emit('changed', concerned)
      if (this.changing === 0) this.explainAll()
    }
  }

  isLive (seq) {
    const message = this.database.getNow(seq)
    return message !== undefined && message.state === 'live'
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
