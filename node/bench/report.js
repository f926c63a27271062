// Turns the lines of run into the table of docs/node.md: medians, and their ratios.
'use strict'
const fs = require('fs')

const values = new Map()
for (const line of fs.readFileSync(process.argv[2], 'utf8').split('\n')) {
  if (!line) continue
  const { name, value } = JSON.parse(line)
  values.set(name, [...(values.get(name) || []), value])
}
const get = name => values.get(name).sort((a, b) => a - b)[Math.floor(values.get(name).length / 2)]
const short = n => n >= 1e4 ? (n / 1e3).toFixed(0) + ' k' : n >= 100 ? n.toFixed(0) : n.toPrecision(2)
const times = x => (x >= 100 ? x.toFixed(0) : x.toFixed(1)) + ' x'

function row (what, ours, theirs, label, unit, aim) {
  const [a, b] = [get(ours), get(theirs)]
  const ratio = unit === 's' ? b / a : a / b
  console.log(`| ${what} | ${short(a)} ${unit} | ${label}: ${short(b)} ${unit} | ${times(ratio)} | ${aim} |`)
}

console.log('|  | sluice-db | beside it | ratio | aim |\n| --- | --- | --- | --- | --- |')
const DERIVE = 'flumedb: derive the views of a log'
row('open, and derive four declared views', 'sluice-db: derive declared views of a log', DERIVE, 'flumedb', 'messages/s', '8 x')
row('the same, written in JavaScript', 'sluice-db: derive JavaScript views of a log', DERIVE, 'flumedb', 'messages/s', '2 x')
row('delete 1 %, JavaScript views right', 'sluice-db: delete 1 %, all views right', 'flumedb: delete 1 % and rebuild in place', 'flumedb, del and rebuild', 's', '500 x')
row('get a message by seq, parsed, awaited', 'sluice-db: get', 'flumelog-offset: get', 'flumelog-offset', 'gets/s', '3 x')
row('the same with getNow()', 'sluice-db: get at once', 'flumelog-offset: get', 'flumelog-offset', 'gets/s', '')
const DB2 = 'ssb-db2: deleteFeed and compact, until all queries are right'
row('100,000 messages: open, and derive four declared views', 'sluice-db: derive declared views of a tenth', 'ssb-db2: derive the indexes of a log', 'ssb-db2', 'messages/s', '8 x')
row('delete a feed of 1 %, JavaScript views right', 'sluice-db: delete a feed of 1 %, all views right', DB2, 'ssb-db2, deleteFeed and compact', 's', '100 x')
row('erase it', 'sluice-db: erase a feed of 1 %, all views right', DB2, 'ssb-db2, deleteFeed and compact', 's', '')
