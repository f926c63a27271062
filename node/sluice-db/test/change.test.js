'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const { database, collect, isInFiles } = require('./support')

test('each way of changing the past says what it did, and every view follows', async t => {
  const db = await database(t)
  const view = await db.addView('n', { kind: 'index', key: ['/n'] })
  await db.appendAll([1, 2, 3, 4].map(n => ({ value: { n }, key: `k${n}` })))
  const numbers = async () => (await view.all()).map(row => row.key[0])

  assert.deepEqual(await db.delete([1, 2]), { at: 5, seqs: [1, 2] })
  assert.deepEqual(await db.delete([1, 2]), { at: 0, seqs: [] })
  assert.deepEqual(await numbers(), [3, 4])
  await db.restore({ keys: ['k1'] })
  await db.delete({ where: '/n=3' })
  await db.replace(4, { n: 40 })
  assert.deepEqual(await numbers(), [1, 40])
  assert.deepEqual(await db.select({ view: 'n', prefix: [40] }), [4])
  await db.hold(4)
  await assert.rejects(db.erase(4), { code: 'held' })
  await db.release(4)
  const { receipt } = await db.erase([1, 4], { reason: 'asked to', actor: 'me' })
  assert.deepEqual(receipt.seqs, [1, 4])
  assert.equal(receipt.finished, true)
  assert.deepEqual((await db.receipts()).map(each => each.reason), ['asked to'])
  assert.equal((await db.get(1)).state, 'erased')
  await assert.rejects(db.restore(1), { code: 'invalid_argument' }).catch(() => {})
  const { live, deleted, erased } = await db.stats()
  assert.deepEqual({ live, deleted, erased }, { live: 0, deleted: 2, erased: 2 })
})

test('a function that looks at something else is asked again about the messages that are named', async t => {
  const db = await database(t)
  const asked = []
  let answer = 'closed'
  const map = ({ seq }, emit) => { asked.push(seq); emit([answer]) }
  const view = await db.addView('answers', { app: 'test', map })
  await db.appendAll([1, 2, 3].map(n => ({ value: { n } })))
  answer = 'open'
  asked.length = 0
  assert.deepEqual(await db.rederive([1, 3]), { at: 4, seqs: [1, 3] })
  assert.deepEqual(asked, [1, 3])
  assert.deepEqual((await view.all()).map(({ key, seq }) => [...key, seq]), [['closed', 2], ['open', 1], ['open', 3]])
})

test('erased is gone from every file, also what functions made of it', async t => {
  const db = await database(t)
  await db.addView('text', { app: 'test', map: ({ value }, emit) => emit([value.text.toUpperCase()]) })
  await db.append({ text: 'the needle of this test' })
  await db.append({ text: 'stays' })
  await db.flush()
  await db.mergeViews()
  assert.ok(isInFiles(db.path, 'needle of this'))
  assert.ok(isInFiles(db.path, 'NEEDLE OF THIS'))
  await db.erase(1)
  assert.ok(!isInFiles(db.path, 'needle of this'))
  assert.ok(!isInFiles(db.path, 'NEEDLE OF THIS'))
  const { equal, needlesFound } = await db.verify()
  assert.ok(equal)
  assert.deepEqual(needlesFound, [])
})

test('a loop that was left pins nothing that an erasure waits for', async t => {
  const db = await database(t, { durability: 'none', erasePatienceMs: 1 })
  const view = await db.addView('n', { kind: 'index', key: ['/n'] })
  await db.appendAll(Array.from({ length: 5000 }, (_, n) => ({ value: { n } })))
  await db.mergeViews()
  for await (const message of db.log()) if (message.seq === 3) break
  for await (const row of view.read({ messages: true })) if (row.seq === 3) break
  assert.equal((await db.erase(1)).receipt.finished, true)

  await db.mergeViews()
  const pinning = view.read()
  await pinning.next()
  await assert.rejects(db.erase(2), { code: 'busy' })
  await pinning.return()
  assert.equal((await db.erase([2, 3])).receipt.finished, true)
})

test('facts are put, listed, dropped and erased, and secret ones stay out of JavaScript', async t => {
  const db = await database(t)
  await db.putFacts([
    { collection: 'names', key: ['alice', 1], value: { name: 'Alice' } },
    { collection: 'secrets', key: ['k'], value: Buffer.from('secret bytes'), secret: true }
  ])
  const facts = await db.facts()
  assert.deepEqual(facts.map(fact => [fact.collection, fact.key, fact.secret]),
    [['names', ['alice', 1], false], ['secrets', ['k'], true]])
  assert.deepEqual(JSON.parse(facts[0].value), { name: 'Alice' })
  assert.equal(facts[1].value.length, 0)
  await db.dropFact('names', ['alice', 1])
  assert.deepEqual((await db.facts('names')), [])
  await db.eraseFact('secrets', ['k'])
  assert.ok(!isInFiles(db.path, 'secret bytes'))
  await assert.rejects(db.dropFact('names', ['bob']), { code: 'not_found' })
})

test('the differences of a view, put together, are the view', async t => {
  const db = await database(t)
  const view = await db.addView('n', { kind: 'index', key: ['/n'] })
  await db.append({ n: 1 })
  const rows = new Map()
  const name = row => JSON.stringify([row.key, row.seq])
  const seen = []
  const ended = (async () => {
    for await (const { fresh, gone, added } of view.follow()) {
      if (fresh) rows.clear()
      for (const row of gone) rows.delete(name(row))
      for (const row of added) rows.set(name(row), row)
      seen.push([gone.length, added.length])
      if (rows.has('[[99],4]')) return
    }
  })()
  while (seen.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  await db.append({ n: 2 })
  await db.delete(1)
  await db.append({ n: 99 })
  await ended
  assert.deepEqual([...rows.values()].map(row => row.key[0]), (await view.all()).map(row => row.key[0]))
  assert.deepEqual(seen[0], [0, 1])
})

test('a consumer is told each thing once it was acknowledged, also after opening again', async t => {
  const { open } = require('..')
  const path = require('path')
  const { folder } = require('./support')
  const place = path.join(folder(t), 'db')
  let db = await open(place)
  await db.appendAll([1, 2, 3].map(n => ({ value: { n }, key: `k${n}` })))
  const index = new Map()
  const follow = async () => {
    const feed = db.consumer('index', { once: true })
    let told = 0
    for await (const { changes } of feed) {
      for (const { kind, seq, message } of changes) {
        told++
        if (kind === 'gone') index.delete(seq)
        else index.set(seq, message.value.n)
      }
      await feed.acknowledge()
    }
    return told
  }
  assert.equal(await follow(), 3)
  assert.equal(await follow(), 0)
  await db.delete(2)
  await db.replace(3, { n: 30 })
  await db.close()
  db = await open(place)
  t.after(() => db.close())
  const sameFromTheStart = db.consumer('index', { once: true, start: 'first' })
  assert.deepEqual((await sameFromTheStart.next()).value.changes.map(change => change.seq), [2, 3])
  await sameFromTheStart.return()
  assert.equal(await follow(), 2)
  assert.deepEqual([...index], [[1, 1], [3, 30]])
  assert.deepEqual((await db.consumers()).map(({ name, lag }) => [name, lag]), [['index', 0]])
  await db.dropConsumer('index')
  assert.deepEqual(await db.consumers(), [])
})

test('a feed without a name goes on from a position that somebody kept', async t => {
  const db = await database(t)
  await db.append({ n: 1 })
  const [first] = await collect(db.feed({ once: true }))
  await db.append({ n: 2 })
  const next = await collect(db.feed({ once: true, position: first.position }))
  assert.deepEqual(next.flatMap(batch => batch.changes.map(change => change.seq)), [2])
  const odd = await collect(db.feed({ once: true, where: '/n=1' }))
  assert.deepEqual(odd.flatMap(batch => batch.changes.map(change => change.seq)), [1])
})
