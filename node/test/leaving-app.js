'use strict'
// An application that listens to a view, and has nothing more to do when it has heard of what was there:
// node leaving-app.js FILE.

const pull = require('pull-stream')
const createLog = require('flumelog-sluice')
const createFlume = require('sluice-flumedb')
const createLevel = require('sluice-flumedb/level')

const db = createFlume(createLog(process.argv[2])).use('level', createLevel(1, msg => [msg]))

db.append('a', () => {
  const read = db.level.read({ live: true, deletions: true })
  pull(read, pull.take(2), pull.drain())
  const other = db.level.read({ live: true, deletions: true, old: false, sync: false })
  other(null, () => {})
  setTimeout(other, 100, true, () => {}) // While it waits.
})
