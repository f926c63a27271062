'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const { database } = require('./support')

const FEED = `@${Buffer.alloc(32, 7).toString('base64')}.ed25519`

test('to block a feed that has said nothing is a change, and to block it again is none', async t => {
  const db = await database(t, { durability: 'none', scuttlebutt: true })
  const before = db.last
  assert.deepEqual(await db.scuttlebutt.block(FEED), { at: before + 1, seqs: [] })
  assert.equal((await db.get(before + 1)).state, 'change')
  const message = { key: '%1', value: { author: FEED, content: { type: 'post' } } }
  await assert.rejects(db.append(message), { code: 'refused' })
  assert.deepEqual(await db.scuttlebutt.block(FEED), { at: 0, seqs: [] })
  assert.equal((await db.scuttlebutt.unblock(FEED)).at, before + 2)
  const seq = await db.append(message)
  const { at, seqs } = await db.scuttlebutt.block(FEED)
  assert.deepEqual(seqs, [seq])
  assert.equal(at, db.last)
})

test('a feed that has said nothing is blocked with erasing, too, and that is a change', async t => {
  const db = await database(t, { durability: 'none', scuttlebutt: true })
  const { at, seqs } = await db.scuttlebutt.block(FEED, { erase: true })
  assert.deepEqual({ at, seqs }, { at: db.last, seqs: [] })
  await assert.rejects(db.append({ key: '%1', value: { author: FEED, content: 'x' } }), { code: 'refused' })
})

test('a key of a group is 32 bytes or a text with them, and what is none is told how long one is', async t => {
  const db = await database(t, { durability: 'none', scuttlebutt: true })
  const key = Buffer.alloc(32, 9)
  for (const wrong of [Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(0)]) {
    await assert.rejects(db.scuttlebutt.addGroupKey(wrong), { code: 'invalid_argument', message: /32 bytes/ })
    await assert.rejects(db.scuttlebutt.addOwnKey(wrong), { code: 'invalid_argument', message: /32 bytes/ })
  }
  await assert.rejects(db.scuttlebutt.addGroupKey(5), { code: 'invalid_argument', message: /a key must be/ })
  await db.scuttlebutt.addGroupKey(key)
  await db.scuttlebutt.addGroupKey(Buffer.from(key.toString('hex')))
  await db.scuttlebutt.addGroupKey(key.toString('base64'))
  assert.deepEqual((await db.scuttlebutt.keys()).map(each => each.kind), ['group'])
})
