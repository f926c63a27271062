'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const { database, collect } = require('./support')

const numbered = count => Array.from({ length: count }, (_, n) => ({ value: { n } }))

test('a feed may be asked for several things at once', async t => {
  const db = await database(t, { durability: 'none' })
  await db.appendAll(numbered(3000))
  for (let round = 0; round < 50; round++) {
    const feed = db.consumer('c' + round)
    const [before, batch, behind] = await Promise.all([feed.position(), feed.next(), feed.position()])
    assert.notEqual(before, behind)
    assert.equal(batch.value.position, behind)
    await Promise.all([feed.acknowledge(), feed.next(), feed.return()])
  }
  assert.deepEqual((await db.consumers()).map(({ lag }) => lag), Array(50).fill(2000))
})

test('what was acknowledged when the loop was left is kept, and nothing can be acknowledged behind it', async t => {
  const db = await database(t)
  await db.appendAll(numbered(5))
  const feed = db.consumer('c')
  let acknowledged
  for await (const batch of feed) {
    assert.equal(batch.changes.length, 5)
    acknowledged = feed.acknowledge()
    break
  }
  await acknowledged
  assert.deepEqual((await db.consumers()).map(({ lag }) => lag), [0])
  await assert.rejects(feed.acknowledge(), { code: 'ended' })
  await assert.rejects(feed.position(), { code: 'ended' })
  await db.append({ n: 6 })
  assert.deepEqual((await collect(db.consumer('c', { once: true }))).length, 1)
})

test('a feed that is left before its first batch, or while it waits, lets go of its consumer', async t => {
  const db = await database(t)
  for (const wait of [async () => {}, feed => { feed.next() }]) {
    const feed = db.consumer('c')
    await feed.position()
    wait(feed)
    await feed.return()
    assert.deepEqual(await collect(db.consumer('c', { once: true })), [])
  }
})

test('a feed begins at the next entry, and at none behind it', async t => {
  const db = await database(t)
  await db.appendAll(numbered(2))
  assert.deepEqual(await collect(db.feed({ start: 3, once: true })), [])
  await assert.rejects(collect(db.feed({ start: 4, once: true })), { code: 'invalid_argument' })
})

test('a call on a feed of a closed database rejects', async t => {
  const db = await database(t)
  const feed = db.feed()
  await db.close()
  await assert.rejects(feed.acknowledge(), { code: 'closed' })
  await assert.rejects(feed.position(), { code: 'closed' })
})
