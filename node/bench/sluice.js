// Sluice from JavaScript, with the views of bench/peers/flumedb/bench.js. One phase a process, so that each
// begins with cold JavaScript:
//   node sluice.js declared DB    opens, and derives four declared views
//   node sluice.js tenth DB       the same of a shorter log, beside ssb-db2
//   node sluice.js functions DB   opens, and derives the same from functions written in JavaScript
//   node sluice.js delete DB      deletes 1 % (every hundredth), until all views of the phases before are right
//   node sluice.js feed DB        deletes the feed that wrote nearest to 1 %, restores it, and erases it
//   node sluice.js get DB         gets 100,000 messages, parsed, in random order
// Measured as the others are: durability off, from opening on.
'use strict'
const { open } = require('../sluice-db')

const [phase, directory] = process.argv.slice(2)
const report = (name, value, unit) => console.log(JSON.stringify({ name, value, unit }))
const now = () => Number(process.hrtime.bigint()) / 1e9

const DECLARED = {
  by_author: { kind: 'index', key: ['/value/author'] },
  by_type: { kind: 'index', key: ['/value/content/type', '/timestamp'] },
  by_key: { kind: 'index', key: ['/key'] },
  counts: { kind: 'aggregate', group: ['/value/author'], value: { count: true } }
}
const INDEX = ({ seq, value: message }, emit) => {
  const content = message.value.content
  emit(['author', message.value.author, seq])
  emit(['type', (content && content.type) || 'private', message.timestamp, seq])
  emit(['key', message.key])
}
const COUNT = ({ value: message }, emit) => emit([message.value.author])

function addFunctions (db) {
  return Promise.all([
    db.addView('index', { app: 'bench', map: INDEX }),
    db.addView('count', { app: 'bench', definition: { kind: 'aggregate', value: { count: true } }, map: COUNT })
  ])
}

async function derive (db, begin, add, what) {
  await add()
  const seconds = now() - begin
  const { live } = await db.stats()
  report(`sluice-db: derive ${what}`, live / seconds, 'messages/s')
}

async function liveSeqs (db) {
  const seqs = []
  for await (const { seq } of db.log()) seqs.push(seq)
  return seqs
}

async function deleteSome (db) {
  const victims = (await liveSeqs(db)).filter((_, i) => i % 100 === 37)
  const before = (await db.view('count').all()).reduce((sum, row) => sum + row.value.count, 0)
  const begin = now()
  const { seqs } = await db.delete(victims)
  report('sluice-db: delete 1 %, all views right', now() - begin, 's')
  const after = (await db.view('count').all()).reduce((sum, row) => sum + row.value.count, 0)
  if (after !== before - seqs.length || seqs.length === 0) throw new Error('the views are wrong')
  await db.restore(seqs)
}

async function deleteFeed (db) {
  const groups = await db.view('count').all()
  const { live } = await db.stats()
  const distance = group => Math.abs(group.value.count - live / 100)
  const feed = groups.sort((a, b) => distance(a) - distance(b))[0].key[0]
  const theirs = async () => (await db.view('index').all({ prefix: ['author', feed] })).map(row => row.seq)
  for (const how of ['delete', 'erase']) {
    const begin = now()
    const { seqs } = await db[how](await theirs())
    report(`sluice-db: ${how} a feed of 1 %, all views right`, now() - begin, 's')
    if ((await theirs()).length !== 0 || seqs.length < live / 200) throw new Error('the views are wrong')
    if (how === 'delete') await db.restore(seqs)
  }
}

async function getSome (db) {
  const live = await liveSeqs(db)
  const count = 100000
  const seqs = Array.from({ length: count }, () => live[Math.floor(Math.random() * live.length)])
  const begin = now()
  for (const seq of seqs) if (db.getNow(seq).value === undefined) throw new Error('no message')
  report('sluice-db: get at once', count / (now() - begin), 'gets/s')
  const again = now()
  for (const seq of seqs) await db.get(seq).then(message => message.value)
  report('sluice-db: get', count / (now() - again), 'gets/s')
}

async function main () {
  const begin = now()
  const db = await open(directory, { durability: 'none' })
  if (phase === 'declared') await derive(db, begin, () => db.addViews(DECLARED), 'declared views of a log')
  if (phase === 'tenth') await derive(db, begin, () => db.addViews(DECLARED), 'declared views of a tenth')
  if (phase === 'functions') await derive(db, begin, () => addFunctions(db), 'JavaScript views of a log')
  if (phase === 'delete') {
    await addFunctions(db)
    await deleteSome(db)
  }
  if (phase === 'feed') {
    await addFunctions(db)
    await deleteFeed(db)
  }
  if (phase === 'get') await getSome(db)
  await db.close()
}
main()
