// flumedb 2.1.8 with the views that bench.cpp has: by author, by type and time, by key, and a count by
// author. One phase a process, so that each begins with cold JavaScript and no cache:
//   node bench.js build LOG DIRECTORY     derives the views of an existing log
//   node bench.js rebuild LOG DIRECTORY   deletes 1 % in place and calls db.rebuild()
//   node bench.js delete LOG DIRECTORY    deletes 1 % and ends: the quickest way out is to throw the
//                                         views away then and to build again
//   node bench.js key LOG DIRECTORY       with the views of transforms.cpp: derives them, then calls
//                                         db.rebuild(), as one does when a new key opens messages
'use strict'
const fs = require('fs')
const path = require('path')
const pull = require('pull-stream')
const Flume = require('flumedb')
const FlumeLog = require('flumelog-offset')
const Level = require('flumeview-level')
const Reduce = require('flumeview-reduce')

const [phase, log, directory] = process.argv.slice(2)
const blocks = require('hashlru')(1024)
const codec = { encode: JSON.stringify, decode: JSON.parse, buffer: false }
const flumelog = FlumeLog(log, { cache: blocks, codec, blockSize: 1024 * 16 })

const keys = (message, seq) => {
  const content = message.value.content
  if (phase === 'key') {
    const all = [['author', message.value.author, seq]]
    if (content.type) all.push(['type', content.type, message.timestamp, seq])
    if (content.root) all.push(['root', content.root, seq])
    return all
  }
  const type = (content && content.type) || 'private'
  return [
    ['author', message.value.author, seq],
    ['type', type, message.timestamp, seq],
    ['key', message.key]
  ]
}
const count = (counts, message) => {
  counts = counts || {}
  const group = phase === 'key' ? message.value.content.type : message.value.author
  if (group) counts[group] = (counts[group] || 0) + 1
  return counts
}

const report = (name, value, unit) => console.log(JSON.stringify({ name, value, unit }))
const seconds = begin => Number(process.hrtime.bigint() - begin) / 1e9

// Derived data lies beside the log; a directory of its own makes it easy to throw away.
fs.mkdirSync(directory, { recursive: true })
flumelog.filename = path.join(directory, 'log')
const begin = process.hrtime.bigint()
const db = Flume(flumelog).use('index', Level(1, keys)).use('counts', Reduce(1, count))

const whenDerived = done => {
  let waiting = 2
  for (const view of ['index', 'counts']) {
    let told = false
    const look = () => {
      if (told || db[view].since.value == null || db[view].since.value !== db.since.value) return
      told = true
      if (--waiting === 0) setImmediate(done)
    }
    db[view].since(look)
    db.since(look)
  }
}

// Every hundredth message, which is as good as random for a log that is read whole anyway.
const victims = done => {
  const seqs = []
  pull(db.stream({ values: false, cache: false }), pull.drain(seq => seqs.push(seq), err => {
    if (err) throw err
    done(seqs.filter((_, i) => i % 100 === 37), seqs.length)
  }))
}

whenDerived(() => {
  if (phase === 'build') {
    const total = seconds(begin)
    return victims((_, messages) => {
      report('flumedb: derive the views of a log', messages / total, 'messages/s')
      report('flumedb: derive the views of a log, time', total, 's')
      process.exit()
    })
  }
  if (phase === 'key') {
    report('flumedb: derive the views of the log with the group', seconds(begin), 's')
    const started = process.hrtime.bigint()
    return db.rebuild(err => {
      if (err) throw err
      report('flumedb: rebuild the views of the log with the group', seconds(started), 's')
      process.exit()
    })
  }
  setTimeout(() => victims(gone => {
    const started = process.hrtime.bigint()
    db.del(gone, err => {
      if (err) throw err
      if (phase === 'delete') {
        report('flumedb: delete 1 %, views wrong', seconds(started), 's')
        return process.exit()
      }
      // del() leaves stale bytes of records that cross a block in this cache, and rebuilding would
      // then fail to parse them.
      blocks.clear()
      db.rebuild(err => {
        if (err) throw err
        report('flumedb: delete 1 % and rebuild in place', seconds(started), 's')
        process.exit()
      })
    })
  }), 500)
})
