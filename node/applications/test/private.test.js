'use strict'
// Keys that come and go: the views follow, without a rebuild and without opening the database again.

const { test } = require('node:test')
const assert = require('node:assert')
const { promisify } = require('util')
const ssbKeys = require('ssb-keys')
const { newFolder, start, stop, collect, publish, textsOf } = require('./support')

const plugins = [require('ssb-backlinks'), require('ssb-query')]

function secretFile (keys) {
  return JSON.stringify(keys)
}

function forbidRebuild (ssb) {
  ssb.rebuild.hook(() => assert.fail('it rebuilds'))
}

function queried (ssb, type) {
  return collect(ssb.query.read({ query: [{ $filter: { value: { content: { type } } } }] }))
}

test('an identity key that comes opens its messages in every view, and closes them when it goes', async t => {
  const ssb = start(t, newFolder(t), { plugins })
  forbidRebuild(ssb)
  const alice = ssbKeys.generate()
  const bob = ssbKeys.generate()
  const boxed = ssbKeys.box({ type: 'secret', text: 'for bob', about: alice.id }, [bob.id])
  const { key } = await publish(ssb.createFeed(alice), boxed)
  const db = await ssb.sluice()

  const isClosed = async () => {
    assert.deepStrictEqual(await textsOf(ssb, 'secret'), [])
    assert.deepStrictEqual(await queried(ssb, 'secret'), [])
    assert.deepStrictEqual(await collect(ssb.links({ dest: alice.id })), [])
    assert.strictEqual((await promisify(ssb.get)({ id: key, private: true })).content, boxed)
  }
  await isClosed()

  await db.scuttlebutt.addIdentity(secretFile(bob))
  assert.deepStrictEqual(await textsOf(ssb, 'secret'), ['for bob'])
  assert.strictEqual((await queried(ssb, 'secret')).length, 1)
  assert.strictEqual((await collect(ssb.links({ dest: alice.id }))).length, 1)
  assert.strictEqual((await collect(ssb.backlinks.read({ query: [{ $filter: { dest: alice.id } }] }))).length, 1)
  const opened = await promisify(ssb.get)({ id: key, private: true, meta: true })
  assert.strictEqual(opened.value.content.text, 'for bob')
  assert.strictEqual(opened.value.meta.private, true)

  const [{ id }] = await db.scuttlebutt.keys()
  await db.scuttlebutt.dropKey(id)
  await isClosed()
})

test('what is opened goes to no other peer: histories have what was signed', async t => {
  const ssb = start(t, newFolder(t))
  const alice = ssbKeys.generate()
  const bob = ssbKeys.generate()
  const boxed = ssbKeys.box({ type: 'secret', text: 'for bob' }, [bob.id])
  const { key } = await publish(ssb.createFeed(alice), boxed)
  const db = await ssb.sluice()
  await db.scuttlebutt.addIdentity(secretFile(bob))

  const [value] = await collect(ssb.createHistoryStream({ id: alice.id, keys: false }))
  assert.strictEqual(value.content, boxed)
  assert.strictEqual('%' + ssbKeys.hash(JSON.stringify(value, null, 2)), key)
  const [raw] = await collect(ssb.createRawLogStream())
  assert.strictEqual(JSON.stringify(raw).includes('for bob'), false)
})

test('what is edited goes to other peers as it was signed', async t => {
  const ssb = start(t, newFolder(t))
  const alice = ssb.createFeed(ssbKeys.generate())
  const { key } = await publish(alice, { type: 'post', text: 'first' })
  await publish(alice, { type: 'edit', original: key, updated: key, text: 'better' })

  const shown = await promisify(ssb.get)({ id: key, private: true })
  assert.strictEqual(shown.content.text, 'better')
  const [value] = await collect(ssb.createHistoryStream({ id: alice.id, keys: false }))
  assert.strictEqual('%' + ssbKeys.hash(JSON.stringify(value, null, 2)), key)
})

test('a group key of ssb-tribes that comes opens the messages of the group', async t => {
  const admin = start(t, newFolder(t), { plugins: [...plugins, require('ssb-tribes')] })
  const { groupId, groupKey } = await promisify(admin.tribes.create)({})
  await promisify(admin.publish)({ type: 'meeting', text: 'at noon', recps: [groupId] })
  const history = await collect(admin.createHistoryStream({ id: admin.id, keys: false }))

  const ssb = start(t, newFolder(t), { plugins })
  forbidRebuild(ssb)
  for (const value of history) await promisify(ssb.add)(value)
  const db = await ssb.sluice()
  assert.deepStrictEqual(await textsOf(ssb, 'meeting'), [])

  await db.scuttlebutt.addGroupKey(groupKey)
  assert.deepStrictEqual(await textsOf(ssb, 'meeting'), ['at noon'])
  assert.strictEqual((await queried(ssb, 'meeting')).length, 1)

  const [{ id }] = await db.scuttlebutt.keys()
  await db.scuttlebutt.dropKey(id)
  assert.deepStrictEqual(await textsOf(ssb, 'meeting'), [])
  await stop(admin)
})
