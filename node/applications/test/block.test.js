'use strict'
const { test } = require('node:test')
const assert = require('node:assert')
const { promisify } = require('util')
const ssbKeys = require('ssb-keys')
const { newFolder, start, collect, publish } = require('./support')

test('the messages of a feed that is blocked are out of every view at once, and come back', async t => {
  const ssb = start(t, newFolder(t), { plugins: [require('ssb-backlinks'), require('ssb-query')] })
  const alice = ssb.createFeed(ssbKeys.generate())
  const troll = ssb.createFeed(ssbKeys.generate())
  const { key } = await publish(alice, { type: 'post', text: 'hello' })
  const reply = await publish(troll, { type: 'post', text: 'bah', root: key, branch: key })
  const db = await ssb.sluice()

  const seen = async () => ({
    log: (await collect(ssb.createLogStream())).map(({ key }) => key),
    posts: (await collect(ssb.messagesByType('post'))).map(({ key }) => key),
    feed: (await collect(ssb.createFeedStream())).map(({ key }) => key),
    user: (await collect(ssb.createUserStream({ id: troll.id }))).length,
    links: (await collect(ssb.links({ dest: key, rel: 'root' }))).length,
    backlinks: (await collect(ssb.backlinks.read({ query: [{ $filter: { dest: key } }] }))).length,
    query: (await collect(ssb.query.read({ query: [{ $filter: { value: { author: troll.id } } }] }))).length,
    latest: (await collect(ssb.latest())).map(({ id }) => id).sort()
  })
  const withTroll = {
    log: [key, reply.key],
    posts: [key, reply.key],
    feed: [key, reply.key],
    user: 1,
    links: 1,
    backlinks: 1,
    query: 1,
    latest: [alice.id, troll.id].sort()
  }
  const without = {
    log: [key], posts: [key], feed: [key], user: 0, links: 0, backlinks: 0, query: 0, latest: [alice.id]
  }
  assert.deepStrictEqual(await seen(), withTroll)

  await db.scuttlebutt.block(troll.id)
  assert.deepStrictEqual(await seen(), without)
  await assert.rejects(promisify(ssb.get)(reply.key))

  await db.scuttlebutt.unblock(troll.id)
  assert.deepStrictEqual(await seen(), withTroll)
})

test('what a blocked feed says later stays out, and the others go on', async t => {
  const ssb = start(t, newFolder(t))
  const alice = ssb.createFeed(ssbKeys.generate())
  const troll = ssb.createFeed(ssbKeys.generate())
  await publish(troll, { type: 'post', text: 'bah' })
  const db = await ssb.sluice()
  await db.scuttlebutt.block(troll.id)

  await publish(troll, { type: 'post', text: 'bah again' })
  const { key } = await publish(alice, { type: 'post', text: 'hello' })
  assert.deepStrictEqual((await collect(ssb.messagesByType('post'))).map(({ key }) => key), [key])
  assert.deepStrictEqual((await collect(ssb.createLogStream())).map(({ key }) => key), [key])
})
