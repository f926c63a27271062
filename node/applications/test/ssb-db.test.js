'use strict'
const { test } = require('node:test')
const assert = require('node:assert')
const fs = require('fs')
const path = require('path')
const { promisify } = require('util')
const ssbKeys = require('ssb-keys')
const { newFolder, start, stop, collect, publish } = require('./support')
// The one that is replaced here, from the packages that test the replacement.
const stockLog = require('../../node_modules/flumelog-offset')

test('ssb-db appends, gets, streams and links, and has it all when it is opened again', async t => {
  const folder = newFolder(t)
  const keys = ssbKeys.generate()
  const ssb = start(t, folder, { keys })
  const first = await promisify(ssb.publish)({ type: 'post', text: 'hello' })
  const second = await promisify(ssb.publish)({ type: 'vote', vote: { link: first.key, value: 1 } })
  const check = async ssb => {
    assert.deepStrictEqual(await promisify(ssb.get)(first.key), first.value)
    assert.deepStrictEqual(await collect(ssb.createLogStream()), [first, second])
    assert.deepStrictEqual(await collect(ssb.createHistoryStream({ id: keys.id, keys: false })), [first.value, second.value])
    assert.deepStrictEqual(await collect(ssb.createUserStream({ id: keys.id, gt: 1 })), [second])
    const links = await collect(ssb.links({ dest: first.key, values: false }))
    assert.deepStrictEqual(links, [{ source: keys.id, rel: 'vote', dest: first.key, key: second.key }])
    assert.strictEqual(await promisify(ssb.latestSequence)(keys.id), 2)
  }
  await check(ssb)
  await stop(ssb)
  const again = start(t, folder, { keys })
  await check(again)
  const third = await promisify(again.publish)({ type: 'post', text: 'again' })
  assert.strictEqual(third.value.sequence, 3)
  assert.strictEqual(third.value.previous, second.key)
})

test('the log of ssb-db on flumelog-offset is taken over, and goes on', async t => {
  const folder = newFolder(t)
  const keys = ssbKeys.generate()
  const messages = await writeStockLog(path.join(folder, 'flume', 'log.offset'), t, keys)
  const ssb = start(t, folder, { keys })
  assert.deepStrictEqual(await collect(ssb.createLogStream()), messages)
  const next = await promisify(ssb.publish)({ type: 'post', text: 'goes on' })
  assert.strictEqual(next.value.previous, messages[messages.length - 1].key)
})

// Messages as ssb-db signs them, in the file that it would have written.
async function writeStockLog (file, t, keys) {
  const ssb = start(t, newFolder(t), { keys })
  const feed = ssb.createFeed(keys)
  for (const text of ['one', 'two', 'three']) await publish(feed, { type: 'post', text })
  const messages = await collect(ssb.createLogStream())
  await stop(ssb)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const log = stockLog(file, { blockSize: 1024 * 16, codec: { encode: JSON.stringify, decode: JSON.parse, buffer: false } })
  await promisify(log.append)(messages)
  return messages
}
