'use strict'

const { test, after } = require('node:test')
const assert = require('node:assert')
const fs = require('fs')
const path = require('path')
const pull = require('pull-stream')
const createLog = require('flumelog-sluice')
const createFlume = require('sluice-flumedb')
const createLevel = require('sluice-flumedb/level')
const createReduce = require('sluice-flumedb/reduce')
const createQuery = require('sluice-flumedb/query')
const createLinks = require('sluice-flumedb/links')
const createObservable = require('flumelog-sluice/observable')
const createStockFlume = require('flumedb')
const createStockLevel = require('flumeview-level')
const createStockReduce = require('flumeview-reduce')
const { newPlace, answer, collect, until } = require('./help')

// A test that fails leaves its database open, which would keep the process.
const left = []
after(() => Promise.all(left.map(close)))

const newFile = () => path.join(newPlace(), 'flume', 'log')
const count = acc => acc + 1
const sum = (acc, n) => acc + n
const close = db => answer(db.close)

function openFlume (file, ...args) {
  const db = createFlume(createLog(file), ...args)
  left.push(db)
  db.warned = []
  db.onWarning = name => db.warned.push(name)
  return db
}

const append = (db, value) => answer(cb => db.append(value, cb))
const del = (db, seqs) => answer(cb => db.del(seqs, cb))
const get = (view, key) => answer(cb => view.get(key, cb))
const rows = (view, opts) => collect(view.read({ values: false, ...opts }))

// A foreign view of what it was told, which may be able to forget.
function createSpy ({ canForget = false } = {}) {
  const spy = { seen: new Map(), destroyed: 0, forgotten: [] }
  spy.create = function (log) {
    const since = createObservable().set(-1)
    const sv = {
      since,
      methods: { all: 'async' },
      all: (opts, cb) => cb(null, [...spy.seen.values()]),
      createSink: cb => pull.drain(({ seq, value }) => {
        spy.seen.set(seq, value)
        since.set(seq)
      }, cb),
      destroy (cb) {
        spy.destroyed++
        spy.seen.clear()
        since.set(-1)
        cb()
      },
      close: cb => cb()
    }
    if (canForget) {
      sv.del = (seqs, cb) => setTimeout(() => {
        spy.forgotten.push(...seqs)
        for (const seq of seqs) spy.seen.delete(seq)
        cb()
      }, 20)
    }
    return sv
  }
  return spy
}

/** Waits until it has seen these values and no others. */
const shows = (spy, values) =>
  until(() => JSON.stringify([...spy.seen.values()]) === JSON.stringify(values))

/** A database with a spy as a foreign view, which is built anew in silence. */
function openSpied () {
  const spy = createSpy()
  const log = createLog(newFile())
  const db = createFlume(log).use('spy', spy.create)
  db.onWarning = () => {}
  return { spy, log, db }
}

const all = view => answer(cb => view.all({}, cb))

/** Calls `first` before each sync of `file`, which waits for it. Resolves to what ends this. */
async function watchSyncs (file, first) {
  const handle = await fs.promises.open(file)
  const { ino } = await handle.stat()
  const prototype = Object.getPrototypeOf(handle)
  const { sync } = prototype
  await handle.close()
  prototype.sync = async function () {
    if ((await this.stat()).ino === ino) await first()
    return sync.call(this)
  }
  return () => { prototype.sync = sync }
}

test('what is deleted, erased and replaced is right in all views when the callback comes', async () => {
  const db = openFlume(newFile())
    .use('byKind', createLevel(1, msg => [msg.kind]))
    .use('total', createReduce(1, sum, msg => msg.n, null, 0))
    .use('query', createQuery(1, { indexes: [{ key: 'k', value: ['kind'] }], exact: false }))
    .use('links', createLinks([{ key: 'FT', value: ['from', 'to'] }], (msg, emit) => emit({ from: msg.kind, to: msg.n })))
  const kinds = kind => collect(db.query.read({ query: [{ $filter: { kind } }] }))
  await append(db, [{ kind: 'a', n: 1 }, { kind: 'b', n: 2 }, { kind: 'a', n: 4 }])
  assert.strictEqual((await get(db.byKind, 'a')).n, 4)
  assert.strictEqual(await get(db.total), 7)

  await del(db, 3)
  assert.strictEqual((await get(db.byKind, 'a')).n, 1, 'the message before it shows')
  assert.strictEqual(await get(db.total), 3)
  assert.deepStrictEqual(await kinds('a'), [{ kind: 'a', n: 1 }])
  assert.deepStrictEqual(await collect(db.links.read({ query: { from: 'a' } })), [{ from: 'a', to: 1 }])

  await answer(cb => db.erase([1], cb))
  await assert.rejects(get(db.byKind, 'a'), { notFound: true, name: 'NotFoundError' })
  assert.strictEqual(await get(db.total), 2)

  const log = await collect(db.stream({ seqs: false }))
  assert.deepStrictEqual(log, [{ kind: 'b', n: 2 }])
  await close(db)
})

test('replaced messages', async () => {
  const log = createLog(newFile())
  const db = createFlume(log)
    .use('byKind', createLevel(1, msg => [msg.kind]))
    .use('total', createReduce(1, { reduce: sum, map: msg => msg.n, initial: 0, undo: (acc, n) => acc - n }))
  await append(db, [{ kind: 'a', n: 1 }, { kind: 'b', n: 2 }])
  assert.strictEqual(await get(db.total), 3)
  await answer(cb => log.replace(1, { kind: 'c', n: 10 }, cb))
  await assert.rejects(get(db.byKind, 'a'))
  assert.strictEqual((await get(db.byKind, 'c')).n, 10)
  assert.strictEqual(await get(db.total), 12)
  await close(db)
})

test('a foreign view is built anew, by itself, and named once; others are untouched', async () => {
  const spies = { one: createSpy(), two: createSpy({ canForget: true }) }
  let mapped = 0
  const db = openFlume(newFile())
    .use('one', spies.one.create)
    .use('two', spies.two.create)
    .use('kept', createLevel(1, msg => { mapped++; return [msg] }))
  await append(db, ['a', 'b', 'c'])
  assert.deepStrictEqual(await all(db.one), ['a', 'b', 'c'])
  assert.deepStrictEqual(await all(db.two), ['a', 'b', 'c'])

  await del(db, 2)
  assert.deepStrictEqual(await all(db.one), ['a', 'c'])
  assert.deepStrictEqual(await all(db.two), ['a', 'c'])
  await del(db, 3)
  assert.deepStrictEqual(await all(db.one), ['a'])
  assert.deepStrictEqual(await all(db.two), ['a'])
  await rows(db.kept)

  assert.deepStrictEqual(db.warned, ['one'])
  assert.ok(spies.one.destroyed >= 2)
  assert.strictEqual(spies.two.destroyed, 0)
  assert.deepStrictEqual(spies.two.forgotten, [2, 3])
  assert.strictEqual(mapped, 5) // Each deleted one once more, for its keys to be remembered.
  // The feed tells of the same deletions later, and nothing is forgotten again. (On a busy machine one is built once
  // more, which is right, and for nothing.)
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.ok(spies.one.destroyed <= 4)
  assert.deepStrictEqual(spies.two.forgotten, [2, 3])
  await close(db)
})

test('erase calls back when foreign views have been built anew', async () => {
  const spy = createSpy()
  const db = openFlume(newFile()).use('spy', log => {
    const sv = spy.create(log)
    return { ...sv, destroy: cb => setTimeout(sv.destroy, 50, cb) }
  })
  await append(db, ['a', 'b', 'c'])
  assert.deepStrictEqual(await all(db.spy), ['a', 'b', 'c'])
  await answer(cb => db.erase(2, cb))
  assert.deepStrictEqual([...spy.seen.values()], ['a', 'c'])
  await answer(cb => db.erase([1], { reason: 'asked for' }, cb))
  assert.deepStrictEqual([...spy.seen.values()], ['c'])
  await assert.rejects(answer(cb => db.erase(99, cb)), { code: 'flumelog:notfound' })
  await close(db)
})

test('a foreign view hears of what others change: delete, replace, restore', async () => {
  const { spy, log, db } = openSpied()
  const database = await log.sluice()
  await append(db, ['a', 'b', 'c'])
  await shows(spy, ['a', 'b', 'c'])
  await database.delete(2)
  await shows(spy, ['a', 'c'])
  await database.replace(3, 'C')
  await shows(spy, ['a', 'C'])
  await database.restore(2)
  await shows(spy, ['a', 'b', 'C'])
  await close(db)
})

test('who reads a foreign view when the database has been changed sees it, also where many have changed it', async () => {
  const log = createLog(newFile())
  const spy = createSpy()
  const db = createFlume(log).use('spy', spy.create).use('level', createStockLevel(1, msg => [msg]))
  left.push(db)
  db.onWarning = () => {}
  const database = await log.sluice()
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  await append(db, letters)
  assert.deepStrictEqual(await all(db.spy), letters)
  await database.delete(3)
  await assert.rejects(get(db.level, 'c'), { notFound: true })
  assert.deepStrictEqual(await all(db.spy), letters.filter(letter => letter !== 'c'))
  await database.replace(4, 'D')
  assert.strictEqual(await get(db.level, 'D'), 'D')
  for (let seq = 5; seq <= 24; seq += 2) {
    const deleted = Promise.all([database.delete(seq), database.delete(seq + 1)])
    await append(db, seq)
    await deleted
    const seen = await all(db.spy)
    assert.deepStrictEqual(seen.filter(one => letters.includes(one)), ['a', 'b', ...letters.slice(seq + 1)])
  }
  await close(db)
})

test('a foreign view has what is restored behind the last message that is left', async () => {
  const { spy, log, db } = openSpied()
  const database = await log.sluice()
  await append(db, ['a', 'b', 'c'])
  await shows(spy, ['a', 'b', 'c'])
  await del(db, [2, 3])
  await shows(spy, ['a'])
  await new Promise(resolve => setTimeout(resolve, 50)) // The stream waits for the next message.
  await database.restore(2)
  await shows(spy, ['a', 'b'])
  await close(db)
})

test('a foreign view has what is restored while the log is read for it', async () => {
  const spy = createSpy()
  const log = createLog(newFile())
  const db = createFlume(log)
  db.onWarning = () => {}
  const database = await log.sluice()
  await append(db, ['a', 'b', 'c', 'd'])
  await del(db, [2, 4])

  const read = database.log
  const reads = []
  database.log = async function * (opts) {
    yield * read.call(database, opts)
    await new Promise(resolve => reads.push(resolve))
  }
  const restoreDuringRead = async seq => {
    await until(() => reads.length === 1)
    await database.restore(seq)
    await new Promise(resolve => setTimeout(resolve, 50)) // The feed tells of it.
    reads.shift()()
  }
  db.use('spy', spy.create)
  await until(() => reads.length === 1)
  reads.shift()() // Has a and c.
  await restoreDuringRead(4) // Of what is behind c: nothing.
  await restoreDuringRead(2) // Of all, anew.
  database.log = read
  if (reads.length > 0) reads.shift()()
  await shows(spy, ['a', 'b', 'c', 'd'])
  assert.ok(spy.destroyed >= 1)
  await close(db)
})

test('a message that is deleted or replaced while the mapper has it does not come out of it as it was', async () => {
  const spy = createSpy()
  const waiting = []
  let isLate = false
  const mapper = (msg, cb) => isLate ? waiting.push(() => cb(null, msg)) : cb(null, msg)
  const db = openFlume(newFile(), true, mapper)
  await append(db, ['a', 'b', 'c'])
  isLate = true
  db.use('spy', spy.create)
  const streamed = collect(db.stream({ seqs: false }))
  const next = async () => {
    await until(() => waiting.length === 2)
    waiting.splice(0).forEach(answer => answer())
  }
  await next()
  await until(() => waiting.length === 2) // Both have b.
  await del(db, 2)
  await next()
  await until(() => waiting.length === 2) // Both have c.
  await answer(cb => createLog.inside(db.since).log.replace(3, 'C', cb))
  await next()
  await next()
  assert.deepStrictEqual(await streamed, ['a', 'C'])
  assert.deepStrictEqual(await all(db.spy), ['a', 'C'])
  assert.strictEqual(spy.destroyed, 0)
  await close(db)
})

test('what a foreign view has forgotten is on the disk before the database stops telling of it', async () => {
  const { spy, log, db } = openSpied()
  await append(db, ['a', 'b'])
  await shows(spy, ['a', 'b'])
  const state = path.join(path.dirname(log.filename), 'spy.state')
  fs.writeFileSync(state, 'a')
  const known = async () => (await (await log.sluice()).consumers()).find(({ name }) => name === 'flumedb-spy')
  const before = await known()

  const positions = []
  const stopWatching = await watchSyncs(state, async () => positions.push((await known()).position))
  await del(db, 1)
  await until(() => positions.length > 0)
  stopWatching()
  assert.deepStrictEqual(positions, [before.position])
  while ((await known()).lag > 0) await new Promise(resolve => setTimeout(resolve, 5))
  await close(db)
})

test('a foreign view that has messages nobody knows of is known when it has been emptied, not before', async () => {
  const spy = createSpy()
  let goOn
  const create = (...args) => {
    const sv = spy.create(...args)
    const { destroy } = sv
    sv.since.set(2)
    sv.destroy = cb => { goOn = () => destroy(cb) }
    return sv
  }
  const log = createLog(newFile())
  const db = createFlume(log)
  db.onWarning = () => {}
  await append(db, ['a', 'b', 'c'])
  db.use('spy', create)
  await until(() => goOn)
  const database = await log.sluice()
  assert.deepStrictEqual(await database.consumers(), [])
  goOn()
  assert.deepStrictEqual(await all(db.spy), ['a', 'b', 'c'])
  while ((await database.consumers()).length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  await close(db)
})

test('what is replaced before the feed has told of it for the first time is noticed by foreign views', async () => {
  const file = newFile()
  const open = () => openFlume(file)
    .use('texts', createStockLevel(1, msg => [msg.text]))
    .use('all', createStockReduce(1, (acc, text) => acc + text, msg => msg.text, null, ''))
  const first = open()
  await get(first.all) // From here on the database knows the views.
  await append(first, [{ text: 'a' }, { text: 'b' }])
  assert.strictEqual(await get(first.all), 'ab')
  await get(first.texts, 'b')
  await close(first)

  const log = createLog(file)
  await answer(cb => log.replace(1, { text: 'x' }, cb))
  await answer(log.close)

  const second = open()
  assert.strictEqual(await get(second.all), 'xb')
  await assert.rejects(get(second.texts, 'a'))
  assert.deepStrictEqual(await get(second.texts, 'x'), { text: 'x' })
  await close(second)
})

test('that a foreign view is being emptied is on the disk before it is', async () => {
  const db = openFlume(newFile())
  const spy = createSpy()
  const synced = []
  const note = path.join(db.dir, 'spy.emptying')
  fs.writeFileSync(note, '')
  const stopWatchingNote = await watchSyncs(note, async () => synced.push('note'))
  const stopWatchingFolder = await watchSyncs(db.dir, async () => synced.push('folder'))
  let before
  const create = (...args) => {
    const sv = spy.create(...args)
    return { ...sv, destroy: cb => { before = [...synced]; sv.destroy(cb) } }
  }
  db.use('spy', create)
  await append(db, 'a')
  assert.deepStrictEqual(await all(db.spy), ['a'])
  stopWatchingFolder()
  stopWatchingNote()
  assert.deepStrictEqual(before.slice(-2), ['note', 'folder'])
  await close(db)
})

test('a foreign view that was emptied by half, and says that it is empty, is emptied before it is built', async () => {
  const file = newFile()
  const spy = createSpy()
  let isKilled
  const killed = new Promise(resolve => { isKilled = resolve })
  const first = openFlume(file)
  first.use('spy', log => ({ ...spy.create(log), destroy: () => isKilled() })) // It never comes to its end.
  await append(first, ['a', 'b'])
  await all(first.spy)
  first.del(1, () => {})
  await killed

  const half = createSpy()
  const second = openFlume(path.join(newPlace(), 'flume', 'log'))
  fs.copyFileSync(path.join(path.dirname(file), 'spy.emptying'), path.join(path.dirname(second.dir), 'flume', 'spy.emptying'))
  half.seen.set(1, 'a')
  await append(second, ['c'])
  second.use('spy', half.create)
  assert.deepStrictEqual(await all(second.spy), ['c'])
  assert.strictEqual(half.destroyed, 1)
  assert.ok(!fs.existsSync(path.join(second.dir, 'spy.emptying')))
  await close(second)
})

test('what was deleted while the program did not run is noticed by stock views with files of their own', async () => {
  const file = newFile()
  const open = () => openFlume(file)
    .use('count', createStockReduce(1, acc => (acc || 0) + 1))
    .use('level', createStockLevel(1, msg => [msg]))
  const db = open()
  await append(db, ['a', 'b', 'c'])
  assert.strictEqual(await get(db.count), 3)
  assert.strictEqual(await get(db.level, 'b'), 'b')
  await close(db)

  const log = createLog(file)
  await answer(cb => log.del(2, cb))
  await answer(log.close)

  const again = open()
  await until(() => again.warned.length === 2)
  assert.strictEqual(await get(again.count), 2)
  await assert.rejects(get(again.level, 'b'))
  // Closed before the database has heard that it is done it would be done again, which is right, and for nothing.
  const database = await createLog.inside(again.since).opened
  while ((await database.consumers()).some(({ lag }) => lag > 0)) await new Promise(resolve => setTimeout(resolve, 5))
  await close(again)

  const third = open()
  assert.strictEqual(await get(third.count), 2)
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.deepStrictEqual(third.warned, [], 'and nothing is done twice')
  await close(third)
})

test('a view whose last messages are deleted becomes ready', async () => {
  const spy = createSpy()
  const db = openFlume(newFile())
  await append(db, ['a', 'b', 'c'])
  await del(db, [2, 3])
  db.use('spy', spy.create)
  assert.deepStrictEqual(await all(db.spy), ['a'])
  await del(db, 1)
  assert.deepStrictEqual(await all(db.spy), [])
  await answer(db.rebuild)
  await close(db)
})

test('opts.since: waits for a message, or for nothing; waits that came out of order are all answered', async () => {
  const spy = createSpy()
  const db = openFlume(newFile()).use('spy', spy.create)
  await append(db, ['a'])
  const answered = []
  for (const since of [4, 2, 3, -1]) db.spy.all({ since }, () => answered.push(since))
  await until(() => answered.length === 1)
  await append(db, 'b')
  await append(db, 'c')
  await append(db, 'd')
  await until(() => answered.length === 4)
  assert.deepStrictEqual(answered, [-1, 2, 3, 4])
  await close(db)
})

test('reads that wait are told when the database is closed', async () => {
  const db = openFlume(newFile(), false).use('level', createLevel(1, msg => [msg]))
  const waiting = [get(db.level, 'a'), collect(db.level.read())]
  const settled = Promise.allSettled(waiting)
  await append(db, 'a')
  await close(db)
  assert.deepStrictEqual((await settled).map(({ status }) => status), ['rejected', 'rejected'])
  assert.throws(() => db.level.read({}), /cannot call:read, flumedb instance closed/)
  assert.throws(() => db.append('b', () => {}), /cannot call:append, flumedb instance closed/)
  await close(db)
})

test('a mapper that calls back at once is applied in the views that are kept, too', async () => {
  const mapper = (msg, cb) => cb(null, { ...msg, text: msg.text.toUpperCase() })
  const db = openFlume(newFile(), true, mapper)
    .use('level', createLevel(1, msg => [msg.text]))
    .use('texts', createReduce(1, (acc, text) => acc + text, msg => msg.text, null, ''))
  await append(db, [{ text: 'a' }, { text: 'b' }])
  assert.deepStrictEqual(await get(db.level, 'B'), { text: 'B' })
  assert.strictEqual(await get(db.texts), 'AB')
  await close(db)
})

test('a mapper that says something else of some messages is asked about these again', async () => {
  let key = 'none'
  const asked = []
  const mapper = (msg, cb) => {
    asked.push(msg.n)
    cb(null, msg.box === key ? { ...msg, text: 'opened' } : msg)
  }
  const db = openFlume(newFile(), true, mapper)
    .use('level', createLevel(1, msg => msg.text ? [msg.text] : []))
    .use('count', createReduce(1, count, msg => msg.text, null, 0))
    .use('query', createQuery(1, { indexes: [{ key: 't', value: ['text'] }], exact: false }))
    .use('links', createLinks([{ key: 'TN', value: ['text', 'n'] }], ({ text, n }, emit) => text && emit({ text, n })))
  const spy = createSpy()
  db.use('spy', spy.create)
  const opened = async () => ({
    level: await rows(db.level, { keys: false }),
    count: await get(db.count),
    query: (await collect(db.query.read({ query: [{ $filter: { text: 'opened' } }] }))).map(msg => msg.n),
    links: (await collect(db.links.read({ query: { text: 'opened' } }))).map(link => link.n),
    spy: (await answer(cb => db.spy.all({}, cb))).filter(msg => msg.text).map(msg => msg.n)
  })
  await append(db, [{ n: 1, box: 'ours' }, { n: 2, box: 'theirs' }, { n: 3, box: 'ours' }, { n: 4, box: 'ours' }])
  await del(db, 4)
  assert.deepStrictEqual(await opened(), { level: [], count: 0, query: [], links: [], spy: [] })

  key = 'ours'
  asked.length = 0
  await answer(cb => db.rederive([1, 3, 4], cb))
  // A view of JavaScript reads the whole log again; those of Sluice ask about what was named.
  const isNamed = n => n === 1 || n === 3
  assert.deepStrictEqual(await opened(), { level: [3], count: 2, query: [1, 3], links: [1, 3], spy: [1, 3] })
  assert.ok(asked.filter(n => !isNamed(n)).length <= 1 && !asked.includes(4))
  assert.deepStrictEqual(db.warned, ['spy'])

  key = 'none'
  await answer(cb => db.rederive(1, cb))
  assert.deepStrictEqual(await rows(db.level, { keys: false }), [3])
  await answer(cb => db.rederive([3], cb))
  assert.deepStrictEqual(await opened(), { level: [], count: 0, query: [], links: [], spy: [] })
  await assert.rejects(answer(cb => db.rederive(99, cb)), { code: 'flumelog:notfound' })
  await close(db)
})

test('a mapper that is late at first is waited for by the views that are kept, which then have all', async () => {
  let open
  const key = new Promise(resolve => { open = resolve })
  let isOpen = false
  key.then(() => { isOpen = true })
  const mapper = (msg, cb) => isOpen ? cb(null, msg.toUpperCase()) : key.then(() => mapper(msg, cb))
  const db = openFlume(newFile(), true, mapper)
    .use('level', createLevel(1, msg => [msg]))
    .use('texts', createReduce(1, (acc, text) => acc + text, null, null, ''))
  await append(db, ['a', 'b'])
  await append(db, 'c')
  const reading = get(db.level, 'C')
  open()
  assert.strictEqual(await reading, 'C')
  assert.deepStrictEqual(await collect(db.level.read({ seqs: false, values: false })), ['A', 'B', 'C'])
  assert.strictEqual(await get(db.texts), 'ABC')
  await close(db)
})

test('who appends is told before those who read a view live', async () => {
  const db = openFlume(newFile()).use('level', createLevel(1, msg => [msg]))
  const told = []
  pull(db.level.read({ live: true, old: false, values: false, seqs: false }), pull.drain(key => told.push(key)))
  await get(db.level, 'a').catch(() => {})
  await new Promise(resolve => db.append('a', () => { told.push('appended'); resolve() }))
  await until(() => told.length === 2)
  assert.deepStrictEqual(told, ['appended', 'a'])
  await close(db)
})

test('who reads a view live is told all again when it is rebuilt', async () => {
  let suffix = ''
  const db = openFlume(newFile(), true, (msg, cb) => cb(null, msg + suffix))
    .use('level', createLevel(1, msg => [msg]))
  const told = []
  pull(db.level.read({ live: true, sync: false, values: false, seqs: false }), pull.drain(key => told.push(key)))
  await append(db, ['a', 'b'])
  await until(() => told.length === 2)
  suffix = '!'
  await answer(db.rebuild)
  await append(db, 'c')
  await until(() => told.length === 5)
  assert.deepStrictEqual(told, ['a', 'b', 'a!', 'b!', 'c!'])
  await close(db)
})

test('a view that fails again and again is stopped, and its readers are told', async () => {
  const errors = mute(console, 'error')
  const spy = createSpy()
  const db = openFlume(newFile()).use('bad', log => ({
    ...spy.create(log),
    createSink: cb => pull.drain(() => false, () => cb(new Error('bad view')))
  }))
  await append(db, 'a')
  await assert.rejects(all(db.bad), /bad view/)
  errors.restore()
  assert.ok(errors.count < 10)
  await close(db)
})

test('the messages of use', async () => {
  const db = openFlume(newFile())
  const view = { since: createObservable(), methods: {}, createSink () {}, destroy () {}, close () {} }
  assert.throws(() => db.use('append', () => view), /append is already in use!/)
  assert.throws(() => db.use('v', () => ({ ...view, close: undefined })), /FlumeDB view 'v' must implement method 'close'/)
  assert.throws(() => db.use('v', () => ({ ...view, methods: undefined })), /must have methods property/)
  assert.throws(() => db.use('v', () => ({ ...view, methods: { x: 'sync' } })), /expected function named:xof type: sync/)
  assert.throws(() => createFlume({ ...createLog(newFile()), methods: { append: 'async' } }), /conflicts with flumedb method/)
  await close(db)
})

test('meta counts', async () => {
  const file = newFile()
  const db = openFlume(file).use('level', createLevel(1, msg => [msg]))
  assert.strictEqual(db.dir, path.dirname(file))
  await append(db, 'a')
  await answer(cb => db.get(1, cb))
  await get(db.level, 'a')
  assert.deepStrictEqual(db.meta, { get: 2, level: { get: 1, read: 0, del: 0 } })
  await close(db)
})

test('level: keys of every kind, in the order of charwise, and what is no key', async () => {
  const keys = [null, false, true, -1.5, 0, 3, '', 'a', 'a!', 'é', '🙂', [], ['a'], ['a', null], ['a', 1], ['a', [1]], ['b']]
  const none = [undefined, { a: 1 }, NaN, Infinity, ['a', undefined], [{ a: 1 }]]
  const db = openFlume(newFile()).use('level', createLevel(1, i => i < keys.length ? [keys[i]] : none))
  await append(db, Array.from({ length: keys.length + 1 }, (_, i) => keys.length - i))
  const read = async opts => (await rows(db.level, { ...opts, seqs: false }))
  assert.deepStrictEqual(await read(), keys)
  assert.deepStrictEqual(await read({ reverse: true }), [...keys].reverse())
  for (const [i, key] of keys.entries()) {
    assert.strictEqual(await get(db.level, key), i)
    assert.deepStrictEqual(await read({ gt: key }), keys.slice(i + 1))
    assert.deepStrictEqual(await read({ gte: key }), keys.slice(i))
    assert.deepStrictEqual(await read({ lt: key }), keys.slice(0, i))
    assert.deepStrictEqual(await read({ lte: key, reverse: true }), keys.slice(0, i + 1).reverse())
  }
  assert.deepStrictEqual(await read({ gte: ['a', null], lte: ['a', undefined] }), [['a', null], ['a', 1], ['a', [1]]])
  assert.deepStrictEqual(await read({ gt: ['a', undefined] }), [['b']])
  assert.deepStrictEqual(await read({ gte: [null], lte: [undefined] }), keys.slice(12))
  for (const key of none) await assert.rejects(get(db.level, key), { notFound: true })
  await close(db)
})

test('level: the shapes of what is read', async () => {
  const db = openFlume(newFile()).use('level', createLevel(1, msg => [msg.k]))
  await append(db, { k: 'x' })
  const read = opts => collect(db.level.read(opts))
  const value = { k: 'x' }
  assert.deepStrictEqual(await read({}), [{ key: 'x', seq: 1, value }])
  assert.deepStrictEqual(await read({ seqs: false }), [{ key: 'x', value }])
  assert.deepStrictEqual(await read({ keys: false }), [{ seq: 1, value }])
  assert.deepStrictEqual(await read({ values: false }), [{ key: 'x', seq: 1 }])
  assert.deepStrictEqual(await read({ keys: false, seqs: false }), [value])
  assert.deepStrictEqual(await read({ values: false, seqs: false }), ['x'])
  assert.deepStrictEqual(await read({ keys: false, values: false }), [1])
  assert.deepStrictEqual(await read(), [{ key: 'x', seq: 1, value }])
  await close(db)
})

test('level: a live reader is told what is there before one who reads later', async () => {
  for (let round = 0; round < 40; round++) {
    const db = openFlume(newFile()).use('level', createLevel(1, msg => [msg.k]))
    const count = 1 + 6 * round // The more there is, the later comes what is appended meanwhile.
    await append(db, Array.from({ length: count }, (_, i) => ({ k: 1000 + i })))
    await rows(db.level)
    const told = []
    pull(db.level.read({ live: true, sync: false, values: false }), pull.drain(row => told.push(row)))
    const appended = append(db, { k: 2000 }).then(() => rows(db.level))
    assert.deepStrictEqual((await rows(db.level)).slice(0, count), told.slice(0, count))
    assert.deepStrictEqual(await appended, told)
    await close(db)
  }
})

test('level: live readers', async () => {
  const db = openFlume(newFile()).use('level', createLevel(1, msg => [msg.k]))
  await append(db, [{ k: 'b', n: 1 }, { k: 'a', n: 2 }])
  const told = { plain: [], fresh: [], deletions: [] }
  const ends = []
  const listen = (name, opts) => pull(db.level.read({ values: false, ...opts }), pull.drain(item => told[name].push(item), error => ends.push(error)))
  listen('plain', { live: true, gte: 'a', lt: 'c' })
  listen('fresh', { old: false, sync: false })
  listen('deletions', { live: true, deletions: true })
  await until(() => told.plain.length === 3 && told.deletions.length === 3)
  await append(db, [{ k: 'c' }, { k: 'a', n: 4 }])
  // Each reader follows by itself: who hears of an append only behind a deletion is told of neither.
  await until(() => told.plain.length === 4 && told.fresh.length === 2 && told.deletions.length === 5)
  await del(db, 4)
  await until(() => told.deletions.length === 7)
  await del(db, 1)
  await until(() => told.deletions.length === 8)
  const old = [{ key: 'a', seq: 2 }, { key: 'b', seq: 1 }, { sync: true }]
  assert.deepStrictEqual(told.plain, [...old, { key: 'a', seq: 4 }])
  assert.deepStrictEqual(told.fresh, [{ key: 'c', seq: 3 }, { key: 'a', seq: 4 }])
  assert.deepStrictEqual(told.deletions, [
    ...old, { key: 'c', seq: 3 }, { key: 'a', seq: 4 },
    { type: 'del', key: 'a', seq: 4 }, { key: 'a', seq: 2 }, // What it had written over shows again.
    { type: 'del', key: 'b', seq: 1 }
  ])
  await close(db)
  assert.deepStrictEqual(ends, [null, null, null])
})

test('level: del deletes the messages that have a key', async () => {
  const db = openFlume(newFile()).use('level', createLevel(1, msg => [msg.k]))
  await append(db, [{ k: 'a', n: 1 }, { k: 'b' }, { k: 'a', n: 3 }])
  await answer(cb => db.level.del('a', cb))
  await assert.rejects(get(db.level, 'a'))
  assert.deepStrictEqual(await collect(db.stream({ values: false })), [2])
  await close(db)
})

test('level: a version is a view of its own, and is built again', async () => {
  const file = newFile()
  const read = async (version, map) => {
    const db = openFlume(file).use('level', createLevel(version, map))
    const all = await rows(db.level, { seqs: false })
    await close(db)
    return all
  }
  const db = openFlume(file)
  await append(db, ['a', 'b'])
  await close(db)
  assert.deepStrictEqual(await read(1, msg => [msg]), ['a', 'b'])
  assert.deepStrictEqual(await read(2, msg => [msg + msg]), ['aa', 'bb'])
  assert.deepStrictEqual(await read('two', () => []), [])
})

test('reduce: undo is used for what the log deletes, and nothing is folded again', async () => {
  const steps = []
  const db = openFlume(newFile()).use('total', createReduce(1, {
    reduce: (acc, n, seq) => { steps.push(seq); return acc + n },
    undo: (acc, n, seq) => { steps.push(-seq); return acc - n },
    map: msg => msg.n,
    initial: 0
  }))
  await append(db, [{ n: 1 }, { n: 2 }, { other: true }, { n: 4 }])
  assert.strictEqual(await get(db.total), 7)
  await del(db, [2, 3])
  assert.strictEqual(await get(db.total), 5)
  assert.deepStrictEqual(steps, [1, 2, 4, -2])
  await close(db)
})

test('reduce: what others change is seen, and the value is told', async () => {
  const log = createLog(newFile())
  const db = createFlume(log).use('total', createReduce(1, sum, msg => msg, null, 0))
  const database = await log.sluice()
  await append(db, [1, 2, 4])
  const told = []
  pull(db.total.stream({ live: true, deletions: true }), pull.drain(item => told.push(item)))
  await until(() => told.length === 1)
  await database.delete(2)
  await until(() => told.length === 2)
  await append(db, 8)
  await until(() => told.length === 3)
  assert.deepStrictEqual(told, [7, { type: 'fresh', value: 5 }, 8])
  let value
  db.total.value(now => { value = now })
  assert.strictEqual(value, 13)
  await close(db)
})

// A reducer that tells others is what ssb-friends has. Commits overlap, and it has just begun to fold.
test('reduce: a reducer hears of a message before who appended it goes on', async () => {
  for (let round = 0; round < 20; round++) {
    let heard = 0
    const db = openFlume(newFile()).use('listener', createReduce(1, acc => { heard++; return acc + 1 }, null, null, 0))
    const [first] = [1, 2, 3].map(() => get(db.listener))
    assert.strictEqual(await first, 0)
    const late = []
    const appendOne = n => append(db, { n }).then(() => { if (heard < n) late.push([n, heard]) })
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(appendOne))
    assert.deepStrictEqual(late, [])
    await close(db)
  }
})

test('reduce: an initial value that is an object is not spoiled by reducers that change it', async () => {
  const reduce = (acc, msg) => { acc.list.push(msg); return acc }
  const db = openFlume(newFile()).use('list', createReduce(1, reduce, null, null, { list: [] }))
  await append(db, ['a', 'b', 'c'])
  assert.deepStrictEqual(await get(db.list), { list: ['a', 'b', 'c'] })
  await del(db, 2)
  assert.deepStrictEqual(await get(db.list), { list: ['a', 'c'] })
  await close(db)
})

test('query: add, explain, limit, live', async () => {
  const db = openFlume(newFile())
    .use('query', createQuery(1, { indexes: [{ key: 'n', value: ['n'] }], filter: msg => !msg.hidden, map: msg => ({ ...msg, m: 1 }) }))
  await append(db, [{ n: 1 }, { n: 2 }, { n: 3, hidden: true }, { n: 4 }])
  const query = [{ $filter: { n: { $gt: 1 } } }]
  assert.deepStrictEqual(await collect(db.query.read({ query, limit: 1 })), [{ n: 2, m: 1 }])
  assert.deepStrictEqual(await collect(db.query.read({ query, reverse: true })), [{ n: 4, m: 1 }, { n: 2, m: 1 }])
  assert.strictEqual(db.query.explain({ query }).index, 'n')
  assert.strictEqual(db.query.explain({ query: [{ $filter: { x: 1 } }] }).scan, true)
  db.query.add({ index: ['x'], createStream: () => pull.values([{ x: 1, n: 9 }]) })
  assert.deepStrictEqual(await collect(db.query.read({ query: [{ $filter: { x: 1 } }] })), [{ x: 1, n: 9 }])
  assert.throws(() => db.query.add({}), /expected {index, createStream}/)
  await close(db)
})

test('the views below stock flumedb are right at once, too', async () => {
  const db = createStockFlume(createLog(newFile()))
    .use('level', createLevel(1, msg => [msg.k]))
    .use('count', createReduce(1, count, null, null, 0))
  await append(db, [{ k: 'a', n: 1 }, { k: 'a', n: 2 }, { k: 'b' }])
  assert.strictEqual(await get(db.count), 3)
  await del(db, [2, 3])
  assert.strictEqual(await get(db.count), 1)
  assert.strictEqual((await get(db.level, 'a')).n, 1)
  assert.deepStrictEqual(await rows(db.level), [{ key: 'a', seq: 1 }])
  await answer(db.rebuild)
  assert.deepStrictEqual(await rows(db.level), [{ key: 'a', seq: 1 }])
  await close(db)
})

test('closing in the middle of reads, streams and appends', async () => {
  for (let i = 0; i < 10; i++) {
    const db = openFlume(newFile()).use('level', createLevel(1, msg => [msg])).use('count', createReduce(1, count, null, null, 0))
    const work = [append(db, Array.from({ length: 2000 }, (_, n) => n))]
    if (i > 4) await work[0]
    work.push(get(db.count), collect(db.level.read()), collect(db.level.read({ live: true })), collect(db.stream({ live: true })))
    const settled = Promise.allSettled(work)
    await new Promise(resolve => setTimeout(resolve, i % 5))
    await close(db)
    await settled
  }
})

test('two databases in one program, with views of the same names', async () => {
  const [one, two] = [newFile(), newFile()].map(file => openFlume(file).use('level', createLevel(1, msg => [msg])))
  await Promise.all([append(one, ['a', 'b']), append(two, ['x'])])
  await del(one, 1)
  assert.deepStrictEqual(await rows(one.level), [{ key: 'b', seq: 2 }])
  assert.deepStrictEqual(await rows(two.level), [{ key: 'x', seq: 1 }])
  await close(one)
  assert.deepStrictEqual(await rows(two.level), [{ key: 'x', seq: 1 }])
  await close(two)
})

test('what was kept is there when it is opened again, and is not built again', async () => {
  const file = newFile()
  let mapped = 0
  const open = () => openFlume(file)
    .use('level', createLevel(1, msg => { mapped++; return [msg] }))
    .use('count', createReduce(1, count, null, null, 0))
  const db = open()
  await append(db, ['a', 'b', 'c'])
  await del(db, 2)
  await rows(db.level)
  await close(db)
  const before = mapped
  const again = open()
  assert.deepStrictEqual(await rows(again.level), [{ key: 'a', seq: 1 }, { key: 'c', seq: 3 }])
  assert.strictEqual(await get(again.count), 2)
  assert.strictEqual(mapped, before)
  await close(again)
})

test('50,000 messages through views and readers that answer at once', async () => {
  const spy = createSpy()
  const db = openFlume(newFile()).use('spy', spy.create).use('level', createLevel(1, msg => [msg.n])).use('count', createReduce(1, count, null, null, 0))
  for (let i = 0; i < 50000; i += 10000) await append(db, Array.from({ length: 10000 }, (_, j) => ({ n: i + j })))
  assert.strictEqual(await get(db.count), 50000)
  assert.strictEqual((await all(db.spy)).length, 50000)
  const read = db.level.read({})
  let seen = 0
  await new Promise((resolve, reject) => {
    read(null, function next (end, data) {
      if (end) return end === true ? resolve() : reject(end)
      assert.strictEqual(data.value.n, seen++)
      read(null, next)
    })
  })
  assert.strictEqual(seen, 50000)
  await close(db)
})

function mute (object, name) {
  const original = object[name]
  const muted = { count: 0, restore: () => { object[name] = original } }
  object[name] = () => { muted.count++ }
  return muted
}
