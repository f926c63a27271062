'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { open } = require('..')
const { folder, database, collect } = require('./support')

const POSTS = [
  { author: 'alice', text: 'one', n: 1 }, { author: 'bob', text: 'two', n: 2 }, { author: 'alice', text: 'three', n: 3.5 }
]

async function withPosts (t) {
  const db = await database(t)
  await db.appendAll(POSTS.map(value => ({ value })))
  return db
}

test('a declared view is read by key, in both directions, counted, and followed by its messages', async t => {
  const db = await withPosts(t)
  const view = await db.addView('by-author', { kind: 'index', key: ['/author', '/n'] })
  assert.deepEqual(await view.all(), [
    { key: ['alice', 1], seq: 1 }, { key: ['alice', 3.5], seq: 3 }, { key: ['bob', 2], seq: 2 }
  ])
  assert.deepEqual((await view.all({ prefix: ['alice'], reverse: true })).map(row => row.seq), [3, 1])
  assert.deepEqual((await view.all({ from: ['alice', 2], to: ['bob', 9] })).map(row => row.seq), [3, 2])
  assert.equal(await view.count({ prefix: ['alice'], limit: Infinity }), 2)
  await assert.rejects(view.all({ limit: 1.5 }), { code: 'invalid_argument' })
  assert.equal((await view.get(['bob', 2])).message.value.text, 'two')
  assert.equal(await view.get(['bob', 3]), undefined)
  const read = await collect(view.read({ limit: 2, messages: true }))
  assert.deepEqual(read.map(row => row.message.value.text), ['one', 'three'])
})

test('a view written as a function maps what was there, what comes and what comes back', async t => {
  const db = await withPosts(t)
  const view = await db.addView('words', {
    app: 'test',
    map: ({ value }, emit) => { emit([value.text.length, [value.author, null, true]]) }
  })
  const seqs = async () => (await view.all()).map(row => row.seq)
  assert.deepEqual(await view.all({ limit: 1 }), [{ key: [3, ['alice', null, true]], seq: 1 }])
  assert.deepEqual(await seqs(), [1, 2, 3])
  await db.append({ author: 'carol', text: '' })
  await db.delete(2)
  assert.deepEqual(await seqs(), [4, 1, 3])
  await db.restore(2)
  await db.replace(1, { author: 'alice', text: 'a long word' })
  assert.deepEqual(await seqs(), [4, 2, 3, 1])
  assert.ok((await db.verify()).equal)
})

test('a function that throws costs that message its rows, and is told', async t => {
  const db = await withPosts(t)
  const failed = []
  const view = await db.addView('fragile', {
    app: 'test',
    map: ({ seq, value }, emit) => {
      emit([seq])
      if (value.author === 'bob') throw new Error('no bobs')
      if (seq === 3) emit([undefined])
    },
    onError: (error, message) => failed.push([message.seq, error.message.slice(0, 7)])
  })
  assert.deepEqual(await view.all(), [{ key: [1], seq: 1 }])
  assert.deepEqual(failed, [[2, 'no bobs'], [3, 'an elem']])
  assert.equal((await view.info()).errors, 2)
})

test('an async function gives no rows, and is told why', async t => {
  const db = await withPosts(t)
  const said = new Set()
  const view = await db.addView('late', {
    app: 'test',
    map: async ({ seq }, emit) => {
      emit([seq])
      await undefined
      emit([seq + 1])
      throw new Error('nobody hears this')
    },
    onError: error => said.add(error.message)
  })
  assert.deepEqual(await view.all(), [])
  assert.deepEqual([...said], ['a map function must not be async'])
  assert.equal((await view.info()).errors, 3)
})

test('what one message makes a function emit costs no other message of its batch anything', async t => {
  const db = await database(t)
  await db.appendAll(Array.from({ length: 5000 }, (_, n) => ({ value: { n } })))
  const deep = levels => levels === 0 ? 'end' : [deep(levels - 1)]
  const large = [1e20, -1e20, -(2 ** 63), 2 ** 63, 2 ** 64 - 2048, 2 ** 64, 2 ** 60, 1.7976931348623157e308, 5e-324]
  for (const [name, emittedToo, isRefused] of [
    ['half', ['\ud800'], true], ['half inside', [['x', 'a\udc00b']], true], ['deep', [deep(1500)], true], ['too deep', [deep(128)], true],
    ['less deep', [deep(127)], false], ['large', large, false], ['large inside', [large], false]
  ]) {
    const view = await db.addView(name, {
      app: 'test',
      map: ({ value }, emit) => {
        emit([value.n])
        if (value.n === 7) emit(['too', ...emittedToo])
      }
    })
    const rows = await view.all()
    assert.equal(rows.length, isRefused ? 4999 : 5001, name)
    for (const { key, seq } of rows) if (typeof key[0] === 'number') assert.equal(key[0], seq - 1, name)
    assert.deepEqual((await view.all({ prefix: ['too'] })).map(row => row.key.slice(1)), isRefused ? [] : [emittedToo])
    if (!isRefused) assert.equal(await view.count({ exact: ['too', ...emittedToo] }), 1, name)
    assert.equal((await view.info()).errors, isRefused ? 1 : 0)
  }
  const sums = await db.addView('sums', {
    app: 'test',
    definition: { kind: 'aggregate', value: { count: true, max: true } },
    map: ({ value }, emit) => emit(['all'], value.n === 7 ? 1e20 : value.n === 8 ? '\ud800' : value.n)
  })
  assert.deepEqual((await sums.get(['all'])).value, { count: 4999, max: 1e20 })
  assert.ok((await db.verify()).equal)
})

test('keys keep their types and their order', async t => {
  const db = await database(t)
  const keys = [[null], [false], [true], [-1.5], [0], [2n ** 53n + 1n], ['a'], ['a', 1], ['é'], [[]], [['a', [1]]]]
  await db.appendAll(keys.map((_, i) => ({ value: i })))
  const view = await db.addView('keys', { app: 'test', map: ({ value }, emit) => emit(keys[value]) })
  assert.deepEqual((await view.all()).map(row => row.seq), keys.map((_, i) => i + 1))
  assert.equal((await view.all({ exact: [2n ** 53n + 1n] })).length, 1)
  assert.equal((await view.all({ exact: [2n ** 53n] })).length, 0)
  await assert.rejects(view.all({ prefix: [{}] }), { code: 'invalid_argument' })
  await assert.rejects(view.all({ exact: 'a' }), { code: 'invalid_argument' })
})

test('a row is found again by the key that it was read with, also when no number has its digits', async t => {
  const db = await database(t)
  const bigints = [4611686018427387905n, -4611686018427387905n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n) + 1n]
  const numbers = [2 ** 53 - 1, 2 ** 60, -(2 ** 63), 2 ** 63, 1e20, 1.5, 12345678901234567000, 5e-324]
  const strings = ['4611686018427387905', '\\"4611686018427387905', '[4611686018427387905]']
  const keys = [...bigints, ...numbers, ...strings].map((element, n) => [n, element, [element, null]])
  await db.appendAll(keys.map((_, n) => ({ value: { n, text: '{"n":4611686018427387905}' } })))
  const view = await db.addView('large', { app: 'test', map: ({ value }, emit) => emit(keys[value.n]) })
  const rows = await view.all()
  assert.deepEqual(rows.map(row => row.key), keys)
  for (const { key, seq } of rows) assert.equal((await view.get(key)).seq, seq)
  await db.putFact({ collection: 'c', key: [bigints[1]] })
  assert.deepEqual((await db.facts('c'))[0].key, [bigints[1]])
  const { added } = (await view.follow({ prefix: keys[0] }).next()).value
  assert.deepEqual(added.map(row => row.key), [keys[0]])
})

test('of links and reasons the large integers come back, too', async t => {
  const db = await database(t)
  await db.append(Buffer.from('{"from":4611686018427387905,"to":"b"}'))
  const view = await db.addView('links', { kind: 'links', source: '/from', target: '/to' })
  const [link] = await view.links()
  assert.equal(link.source, 4611686018427387905n)
  assert.deepEqual((await view.links({ from: link.source })).map(each => each.seq), [1])
  const { views } = await db.why(1)
  assert.ok(views[0].keys.flat(2).includes(4611686018427387905n))
})

test('aggregates of functions and of declarations say the same', async t => {
  const db = await withPosts(t)
  const value = { count: true, sum: true, min: true, max: true }
  const coded = await db.addView('coded', {
    app: 'test', definition: { kind: 'aggregate', value }, map: (message, emit) => emit([message.value.author], message.value.n)
  })
  const declared = await db.addView('declared', {
    kind: 'aggregate', group: ['/author'], value: { count: true, sum: '/n', min: '/n', max: '/n' }
  })
  const expected = [
    { key: ['alice'], seq: 0, value: { count: 2, sum: 4.5, min: 1, max: 3.5 } },
    { key: ['bob'], seq: 0, value: { count: 1, sum: 2, min: 2, max: 2 } }
  ]
  assert.deepEqual(await coded.all(), expected)
  assert.deepEqual(await declared.all(), expected)
  assert.deepEqual((await declared.get(['bob'])).value, expected[1].value)
  await db.delete(1)
  assert.deepEqual((await coded.get(['alice'])).value, { count: 1, sum: 3.5, min: 3.5, max: 3.5 })
})

test('offline: rows leave without the code, and what needs it is done when it comes back', async t => {
  const place = path.join(folder(t), 'db')
  const code = { app: 'reader', map: ({ value }, emit) => emit([value.author]) }
  let calls = 0
  const counted = { ...code, map: (message, emit) => { calls++; code.map(message, emit) } }
  const writing = async work => {
    const db = await open(place, { durability: 'none' })
    try { await work(db) } finally { await db.close() }
  }
  await writing(async db => {
    await db.appendAll(POSTS.map(value => ({ value })))
    await db.addView('authors', code)
  })
  await writing(async db => {
    await db.delete(1)
    await db.append({ author: 'dave' })
    assert.deepEqual((await db.view('authors').all()).map(row => row.seq), [3, 2])
    assert.equal((await db.view('authors').info()).state, 'waits for its code')
  })
  await writing(async db => {
    const view = await db.addView('authors', counted)
    assert.equal(calls, 1)
    assert.deepEqual((await view.all()).map(row => row.key[0]), ['alice', 'bob', 'dave'])
    assert.deepEqual((await db.apps()).map(app => [app.name, app.views]), [['reader', ['authors']]])
    await view.drop()
    await assert.rejects(view.info(), { code: 'not_found' })
  })
})

test('links are read from both ends and walked; texts are searched', async t => {
  const db = await database(t)
  await db.appendAll([['a', 'b'], ['b', 'c'], ['c', 'd']].map(([from, to]) => ({
    value: { from, to, text: `Héllo from ${from} to the world` }
  })))
  await db.addViews({
    follows: { kind: 'links', source: '/from', target: '/to', relation: 'follows' },
    texts: { kind: 'search', text: ['/text'], language: 'english' }
  })
  const follows = db.view('follows')
  assert.deepEqual(await follows.links({ to: 'c' }), [{ source: 'b', relation: 'follows', target: 'c', seq: 2 }])
  const { steps, complete } = await follows.walk({ start: 'a', depth: 2 })
  assert.deepEqual(steps.map(step => [step.node, step.distance]), [['b', 1], ['c', 2]])
  assert.equal(complete, true)
  const { hits, total } = await db.view('texts').search('"from b" world')
  assert.equal(total, 1)
  assert.equal(hits[0].seq, 2)
  const [begin, end] = hits[0].marks[0]
  assert.equal(hits[0].snippet.slice(begin, end), 'from')
})

test('a big view is built in batches, with progress, from one walk over the log', async t => {
  const db = await database(t)
  for (let i = 0; i < 10; i++) {
    await db.appendAll(Array.from({ length: 3000 }, (_, j) => ({ value: { n: i * 3000 + j, text: 'x'.repeat(100) } })))
  }
  let calls = 0
  const view = await db.addView('n', { app: 'test', map: ({ value }, emit) => { calls++; emit([value.n % 7, value.n]) } })
  assert.equal(calls, 30000)
  assert.equal(await view.count(), 30000)
  let n = 3
  for await (const row of view.read({ prefix: [3] })) {
    assert.equal(row.key[1], n)
    n += 7
  }
  const seen = []
  await db.delete({ view: 'n', prefix: [3] }, { onProgress: progress => seen.push(progress.what) })
  assert.equal(await view.count(), 30000 - 4286)
  assert.ok((await db.verify({ onProgress: progress => seen.push(progress.what) })).equal)
  assert.ok(seen.length > 0)
})
