'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { inspect } = require('util')
const { open } = require('..')
const { folder, database, collect } = require('./support')

test('what is appended is read, by seq, by key and in the order of the log', async t => {
  const db = await database(t)
  assert.equal(db.last, 0)
  assert.equal(await db.append({ text: 'one' }), 1)
  assert.equal(await db.append({ text: 'two' }, { key: 'second' }), 2)
  assert.equal(db.last, 2)
  assert.deepEqual((await db.get(1)).value, { text: 'one' })
  assert.deepEqual((await db.get('second')).value, { text: 'two' })
  assert.equal(await db.get(3), undefined)
  assert.equal(await db.get('third'), undefined)
  assert.deepEqual((await collect(db.log())).map(message => message.seq), [1, 2])
  assert.deepEqual((await collect(db.log({ reverse: true }))).map(message => message.key), ['second', ''])
  assert.deepEqual((await collect(db.log({ from: 2 }))).map(message => message.value.text), ['two'])
  assert.deepEqual((await collect(db.log({ limit: 1 }))).map(message => message.value.text), ['one'])
})

test('bytes are kept as they are, and what is not JSON has no value', async t => {
  const db = await database(t)
  const bytes = Buffer.from([0xff, 0x00, 0x7b])
  await db.append(bytes)
  await db.append('a string is JSON')
  assert.deepEqual((await db.get(1)).body, bytes)
  assert.equal((await db.get(1)).value, undefined)
  assert.equal((await db.get(2)).value, 'a string is JSON')
  await assert.rejects(db.append(undefined), { code: 'invalid_argument' })
})

test('what only looks like JSON once it is decoded has no value, as declared views see none', async t => {
  const db = await database(t)
  const byAuthor = await db.addView('a', { kind: 'index', key: ['/a'] })
  await db.append(Buffer.from('{"a":"\xff"}', 'latin1'))
  await db.append(Buffer.from('{"a":"\ufffd"}'))
  await db.append('plain')
  for (const read of [seq => db.get(seq), async seq => (await collect(db.log({ from: seq, limit: 1 })))[0]]) {
    assert.equal((await read(1)).value, undefined)
    assert.deepEqual((await read(2)).value, { a: '\ufffd' })
    assert.equal((await read(3)).value, 'plain')
  }
  assert.deepEqual((await byAuthor.all()).map(row => row.seq), [2])
})

test('a message is shown with what there is of it', async t => {
  const db = await database(t)
  await db.append({ text: 'hello' }, { key: 'k' })
  await db.append(Buffer.from([0xff, 0x00]))
  await db.delete(2)
  await db.append(Buffer.from([0xff, 0x00]))
  const shown = (await collect(db.log({ changes: true }))).map(message => inspect(message, { breakLength: Infinity }))
  assert.equal(shown[0], "Message { seq: 1, key: 'k', state: 'live', value: { text: 'hello' } }")
  assert.equal(shown[1], "Message { seq: 2, state: 'deleted' }")
  assert.match(shown[2], /^Message { seq: 3, state: 'change', change: 'delete/)
  assert.equal(shown[3], "Message { seq: 4, state: 'live', bytes: 2 }")
  assert.match(inspect({ a: { b: { c: await db.get(1) } } }, { depth: 5 }), /text: 'hello'/)
})

test('a batch is taken as a whole or not at all, and an offer as far as its keys are free', async t => {
  const db = await database(t)
  await db.append('here', { key: 'a' })
  const both = [{ value: 'again', key: 'a' }, { value: 'new', key: 'b' }]
  await assert.rejects(db.appendAll(both), { code: 'exists' })
  assert.equal(db.last, 1)
  assert.deepEqual(await db.offer(both), { first: 2, outcomes: ['exists', 'appended'] })
  await db.delete({ keys: ['b'] })
  await assert.rejects(db.append('back', { key: 'b' }), { code: 'refused' })
  assert.equal(await db.append('back', { key: 'b', readmit: true }), 4)
})

test('appends that wait at the same time are answered in their order, and are there after opening again', async t => {
  const place = path.join(folder(t), 'db')
  const db = await open(place)
  const seqs = await Promise.all(Array.from({ length: 500 }, (_, i) => db.append({ i })))
  assert.deepEqual(seqs, Array.from({ length: 500 }, (_, i) => i + 1))
  await db.close()
  const again = await open(place, { create: false })
  t.after(() => again.close())
  assert.equal(again.last, 500)
  assert.deepEqual((await collect(again.log())).map(message => message.value.i), Array.from({ length: 500 }, (_, i) => i))
})

test('a long log is walked in pieces', async t => {
  const db = await database(t)
  await db.appendAll(Array.from({ length: 5000 }, (_, i) => ({ value: i })))
  let expected = 0
  for await (const message of db.log()) assert.equal(message.value, expected++)
  assert.equal(expected, 5000)
  for await (const message of db.log()) if (message.seq === 1500) break
  assert.equal((await collect(db.log({ limit: 2500 }))).length, 2500)
})

test('a live log goes on with what comes, until its loop is left, its signal or the database ends it', async t => {
  const db = await database(t)
  await db.append('old')
  const told = []
  const ended = (async () => {
    for await (const message of db.log({ live: true })) {
      told.push(message.value)
      if (message.value === 'end') break
    }
  })()
  for (const value of ['new', 'newer', 'end']) await db.append(value)
  await ended
  assert.deepEqual(told, ['old', 'new', 'newer', 'end'])

  const abort = new AbortController()
  const aborted = collect(db.log({ live: true, from: db.last + 1, signal: abort.signal }))
  setTimeout(() => abort.abort(), 20)
  assert.deepEqual(await aborted, [])

  const waiting = collect(db.log({ live: true, from: db.last + 1 }))
  await db.close()
  assert.deepEqual(await waiting, [])
})

test('a live log that was told where to end waits for nothing behind that', { timeout: 10000 }, async t => {
  const db = await database(t)
  await db.appendAll([1, 2, 3].map(n => ({ value: n })))
  const values = async options => (await collect(db.log({ live: true, ...options }))).map(message => message.value)
  assert.deepEqual(await values({ limit: 3 }), [1, 2, 3])
  assert.deepEqual(await values({ to: 3 }), [1, 2, 3])
  assert.deepEqual(await values({ limit: 0 }), [])
  const [later] = await Promise.all([values({ from: 3, limit: 3, to: 4 }), db.append('next')])
  assert.deepEqual(later, [3, 'next'])
})

test('who aborts is told nothing more, however much is there', async t => {
  const db = await database(t)
  await db.appendAll(Array.from({ length: 5000 }, (_, n) => ({ value: n })))
  for (const live of [false, true]) {
    const abort = new AbortController()
    const told = []
    for await (const { seq } of db.log({ live, signal: abort.signal })) {
      told.push(seq)
      if (seq === 5) abort.abort()
    }
    assert.deepEqual(told, [1, 2, 3, 4, 5])
    assert.deepEqual(await collect(db.log({ live, signal: abort.signal })), [])
  }
})

test('a controller is not taken for its signal', async t => {
  const db = await database(t)
  const view = await db.addView('n', { kind: 'index', key: ['/n'] })
  for (const signal of [new AbortController(), null, 5]) {
    for (const wrong of [() => db.log({ live: true, signal }), () => db.log({ signal }), () => view.follow({ signal }),
      () => db.feed({ signal }), () => db.consumer('c', { signal })]) {
      assert.throws(wrong, { code: 'invalid_argument', message: /an AbortSignal/ })
    }
  }
  await db.close()
})

test('what is gone is an answer and no error, and the log tells of it when asked', async t => {
  const db = await database(t)
  await db.append({ text: 'stays' })
  await db.append({ text: 'goes' })
  await db.delete(2, { reason: 'spam' })
  assert.equal((await db.get(2)).state, 'deleted')
  assert.equal((await db.get(2)).body.length, 0)
  assert.deepEqual((await collect(db.log())).map(message => message.seq), [1])
  const all = await collect(db.log({ changes: true }))
  assert.deepEqual(all.map(message => message.state), ['live', 'deleted', 'change'])
  assert.match(all[2].change, /delete/)
})

test('errors have a code, and everything after close() says so', async t => {
  const db = await database(t)
  await assert.rejects(open(db.path), { name: 'SluiceError', code: 'busy' })
  await assert.rejects(open(path.join(folder(t), 'none'), { create: false }), { code: 'not_found' })
  await assert.rejects(db.delete({ view: 'none' }), { code: 'not_found' })
  await assert.rejects(db.append('x', { key: 'k'.repeat(70000) }), { code: 'invalid_argument' })
  await assert.rejects(db.delete(1.5), { code: 'invalid_argument' })
  const reading = db.log()
  await db.close()
  await db.close()
  await assert.rejects(db.append('late'), { code: 'closed' })
  await assert.rejects(reading.next(), { code: 'closed' })
  assert.throws(() => db.last, { code: 'closed' })
})

test('closing finishes what was asked for before', async t => {
  const place = path.join(folder(t), 'db')
  const db = await open(place)
  const appended = Promise.all(Array.from({ length: 100 }, (_, i) => db.append(i)))
  await db.close()
  assert.equal((await appended).length, 100)
  const again = await open(place)
  assert.equal(again.last, 100)
  await again.close()
})

test('a reader beside the writer follows it', async t => {
  const db = await database(t)
  await db.append('first')
  const reader = await open(db.path, { readOnly: true })
  t.after(() => reader.close())
  assert.equal((await reader.get(1)).value, 'first')
  await assert.rejects(reader.append('no'), { code: 'read_only' })
  const [second] = await Promise.all([
    (async () => { for await (const message of reader.log({ live: true, from: 2 })) return message })(),
    db.append('second')
  ])
  assert.equal(second.value, 'second')
})
