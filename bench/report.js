// Turns the lines of bench/run into the tables of docs/performance.md: each figure, what it is held against,
// the ratio reached and the ratio aimed at. A table is left out when nothing of it was measured.
'use strict'
const fs = require('fs')

const values = new Map()
for (const line of fs.readFileSync(process.argv[2], 'utf8').split('\n')) {
  if (!line) continue
  const { name, value } = JSON.parse(line)
  if (!values.has(name)) values.set(name, [])
  values.get(name).push(value)
}
const get = name => {
  const all = values.get(name)
  if (!all) throw new Error('no figure for: ' + name)
  return all.slice().sort((a, b) => a - b)[Math.floor(all.length / 2)]
}
const short = n => n >= 1e6 ? (n / 1e6).toFixed(2) + ' M' : n >= 1e4 ? (n / 1e3).toFixed(0) + ' k'
  : n >= 100 ? n.toFixed(0) : n >= 1 ? n.toFixed(2) : n.toPrecision(2)

let rows = []
const row = (what, ours, unit, other, ratio, aim) => rows.push([what, `${ours} ${unit}`, other, ratio, aim])
const times = x => (x >= 100 ? x.toFixed(0) : x.toFixed(1)) + ' x'
const faster = (what, name, peer, label, aim) =>
  row(what, short(get(name)), 'messages/s', `${label}: ${short(get(peer))} messages/s`, times(get(name) / get(peer)), aim)
const quicker = (what, ours, label, theirs, aim) =>
  row(what, short(ours), 's', `${label}: ${theirs.toFixed(1)} s`, times(theirs / ours), aim)
const alone = (what, name, unit, aim) => row(what, short(get(name)), unit, '', '', aim)
const print = () => {
  const head = ['', 'Sluice', 'beside it', 'ratio', 'aim']
  for (const line of [head, head.map(() => '---'), ...rows]) console.log('| ' + line.join(' | ') + ' |')
  rows = []
}

const everything = () => {
  const derive = 'flumedb: derive the views of a log'
  const deriveTime = get('flumedb: derive the views of a log, time')
  const inPlace = get('flumedb: delete 1 % and rebuild in place')
  const wayOut = get('flumedb: delete 1 %, views wrong') + deriveTime
  const sqlite = 'sqlite: import, three indexes and a trigger'
  const deleting = get('delete 1 %, all views right')
  const erasing = get('erase 1 %, until no byte is left')

  faster('derive four views of an imported log', 'back-fill four views', derive, 'flumedb', '10 x')
  faster('import and four views together', 'import and four views', derive, 'flumedb, views only', '5 x')
  faster('import and four views together', 'import and four views', sqlite, 'SQLite', '4 x')
  quicker('delete 1 %, all views right', deleting, 'flumedb, del and rebuild in place', inPlace, '1,000 x')
  quicker('delete 1 %, all views right', deleting, 'flumedb, del, views thrown away, built again', wayOut, '100 x')
  quicker('erase 1 %, until no byte is left', erasing, 'flumedb, del and rebuild in place', inPlace, '150 x')
  quicker('erase 1 %, until no byte is left', erasing, 'flumedb, del, views thrown away, built again', wayOut, '15 x')
  alone('one durable delete', 'one durable delete', 'ms', 'at most 2 fdatasync')
  alone('one erasure', 'one erasure', 'ms', '')
  const base = get('delete in a log of 100,000 with 4 views')
  for (const [what, name] of [
    ['one delete, 10 times the log', 'delete in a log of 1,000,000 with 4 views'],
    ['one delete, 10 times the views', 'delete in a log of 100,000 with 40 views']
  ]) row(what, short(get(name)), 'us', `${short(base)} us`, times(get(name) / base), 'at most 1.2 x')
  for (const view of ['by_author', 'by_type', 'by_key']) {
    alone(`scan ${view}, as imported`, `scan ${view}, as imported`, 'rows/s', '20 M rows/s')
    alone(`scan ${view}, merged`, `scan ${view}, merged`, 'rows/s', '50 M rows/s')
  }
  alone('point reads by key', 'point reads by key', 'reads/s', '0.5 M/s')
  alone('random gets by seq', 'random gets by seq', 'gets/s', '')
  alone('read all counts by author', 'read all counts by author', 'ms', '')
  alone('append in batches of 1,000', 'append in batches of 1,000, synced at the end', 'messages/s', '')
  alone('the same, of the sequential write rate', 'append, of the sequential write rate', '%', '70 %')
  alone('import alone', 'import', 'messages/s', '')
  alone('memory of importing, without mapped files', 'memory of importing, without mapped files', 'MB', '300 MB')
  alone('memory of deriving, without mapped files', 'memory of back-filling, without mapped files', 'MB', '300 MB')
  print()
}

const transforms = () => {
  const rate = (what, name) => alone(what, name, 'messages/s', '100 k/s')
  rate('fact of 10,000 of 1,000,000 messages gets a new value', 'fact of 10,000 messages')
  rate('fact of 100,000 of them', 'fact of 100,000 messages')
  rate('fact comes that 10,000 looked for in vain, "has"', 'fact that 10,000 messages missed, has')
  rate('fact comes that 10,000 looked for in vain, "find any"', 'fact that 10,000 messages missed, find any')
  alone('fact of one of 1,000,000 messages', 'fact of one message of 1,000,000', 'ms', '')
  const small = get('fact of 10,000 messages, in a log of 100,000')
  const large = get('fact of 10,000 messages, in a log of 1,000,000')
  row('fact of 10,000 messages, 10 times the log', short(large), 'ms', `${short(small)} ms`, times(large / small), 'at most 1.2 x')

  const key = get('key that opens 1,000 messages, until all views are right') / 1e3
  const opens = (label, name) => quicker('key opens 1,000 of 100,000 messages, all views right', key, label, get(name), '')
  opens('flumedb, rebuild, without unboxing', 'flumedb: rebuild the views of the log with the group')
  opens('flumedb, views thrown away, built again, without unboxing', 'flumedb: derive the views of the log with the group')
  opens('ssb-db2, reindexEncrypted', 'ssb-db2: reindexEncrypted, until all queries are right')
  opens('ssb-db2, reset', 'ssb-db2: reset, until all queries are right')
  alone('dropping that key, until no file has what it opened', 'dropping it, until no file has what it opened', 'ms', '')

  alone('one edit, not waiting for the disk', 'one edit, not waiting for the disk', 'ms', '1 ms')
  const sync = get('one fdatasync beside it')
  const edit = get('one edit, durable')
  row('one edit, durable', short(edit), 'ms', `one fdatasync: ${short(sync)} ms`, times(edit / sync), '')
  alone('erasing one edit', 'erasing one edit', 'ms', '')
  faster('import and four views, transforms of Scuttlebutt in use', 'import and four views, transforms of Scuttlebutt',
    'import and four views, no transforms', 'no transforms', '')
  print()
}

const readers = () => {
  for (const [what, aim] of [['durability off', '5 ms at p99'], ['every commit durable', 'one fdatasync more']]) {
    alone(`until a reader process shows a row, ${what}`, `until a reader shows a row, ${what}, median`, 'ms', '')
    alone(`the same at p99, ${what}`, `until a reader shows a row, ${what}, p99`, 'ms', aim)
  }
  alone('one fdatasync beside the readers', 'one fdatasync beside the readers', 'ms', '')
  for (const what of ['durability off', 'every commit durable']) {
    row(`append one at a time beside 8 reader processes, ${what}`, short(get(`appends beside 8 readers, ${what}`)),
      'messages/s', `alone: ${short(get(`appends alone, ${what}`))} messages/s`,
      get(`of its speed beside 8 readers, ${what}`).toFixed(0) + ' %', '90 %')
  }
  print()
}

const away = () => {
  const caughtUp = get('app away during 1,000,000 deletes, right again')
  const rebuilt = get('app away during 1,000,000 deletes, rebuilding')
  row('app away during 1,000,000 deletes, right again', short(caughtUp), 'ms', `rebuilding: ${short(rebuilt)} ms`, times(rebuilt / caughtUp), '20 x')
  alone('opening with 1,000,000 deletes in the log', 'opening with 1,000,000 deletes in the log', 'ms', '')
  const small = get('retention of 1,000 messages, in a log of 100,000')
  const large = get('retention of 1,000 messages, in a log of 1,000,000')
  row('retention of 1,000 messages, 10 times the log', short(large), 'ms', `${short(small)} ms`, times(large / small), 'at most 1.2 x')
  print()
}

const tables = [
  [everything, 'messages'],
  [transforms, 'fact of 10,000 messages'],
  [readers, 'appends alone, durability off'],
  [away, 'app away during 1,000,000 deletes, right again']
]
const measured = tables.filter(([, name]) => values.has(name))
measured.forEach(([table], i) => {
  if (i > 0) console.log()
  table()
})
