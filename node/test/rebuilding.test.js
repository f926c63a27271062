'use strict'
// Reads of views that the database keeps, while these are built anew: they wait, and live ones begin anew.

const { test } = require('node:test')
const assert = require('node:assert')
const path = require('path')
const { spawnSync } = require('child_process')
const pull = require('pull-stream')
const createLog = require('flumelog-sluice')
const createFlume = require('sluice-flumedb')
const createLevel = require('sluice-flumedb/level')
const createReduce = require('sluice-flumedb/reduce')
const { newPlace, answer, collect, until } = require('./help')

const messages = 3000

async function openFilled (t) {
  let suffix = ''
  const db = createFlume(createLog(path.join(newPlace(), 'log')), true, (msg, cb) => cb(null, msg + suffix))
    .use('level', createLevel(1, msg => [msg]))
    .use('sum', createReduce(1, {
      map: msg => msg.length, reduce: (acc, length) => acc + length, undo: (acc, length) => acc - length, initial: 0
    }))
  t.after(() => answer(db.close))
  await answer(cb => db.append(Array.from({ length: messages }, (_, i) => String(10000 + i)), cb))
  return { db, use: chosen => { suffix = chosen } }
}

const get = (view, key) => answer(cb => view.get(key, cb))
const keysOf = (db, opts) => collect(db.level.read({ values: false, seqs: false, ...opts }))

test('what was asked for before is answered', async t => {
  for (let round = 0; round < 10; round++) {
    const { db } = await openFilled(t)
    const asked = [get(db.level, '10007'), keysOf(db), get(db.sum), keysOf(db, { reverse: true, limit: 1 })]
    if (round % 2) await new Promise(resolve => setImmediate(resolve))
    const rebuilt = answer(db.rebuild)
    asked.push(get(db.level, '10007'), get(db.sum))
    const [one, keys, sum, last, again, sumAgain] = await Promise.all(asked)
    assert.deepStrictEqual([one, keys.length, sum, last, again, sumAgain], ['10007', messages, 5 * messages, ['12999'], '10007', 5 * messages])
    await rebuilt
  }
})

test('a value that is being made of several reads is made anew', async t => {
  for (const after of [0, 2, 5, 10]) {
    const { db, use } = await openFilled(t)
    assert.strictEqual(await get(db.sum), 5 * messages)
    const deleted = Array.from({ length: 200 }, (_, i) => i + 1)
    await answer(cb => db.del(deleted, cb))
    const asked = get(db.sum)
    await new Promise(resolve => setTimeout(resolve, after))
    use('!')
    const rebuilt = answer(db.rebuild)
    const left = messages - deleted.length
    assert.ok([5 * left, 6 * left].includes(await asked))
    assert.strictEqual(await get(db.sum), 6 * left)
    await rebuilt
    assert.strictEqual(await get(db.sum), 6 * left)
  }
})

test('what is read when the view has gone, and the next one is not there, is read again', async t => {
  const { db, use } = await openFilled(t)
  const database = await createLog.inside(db.since).opened
  const prototype = Object.getPrototypeOf(database.view('flume:level'))
  const { all, drop } = prototype
  t.after(() => Object.assign(prototype, { all, drop }))
  let reads = 0
  const dropped = new Promise(resolve => {
    prototype.drop = function () { return drop.call(this).finally(resolve) }
  })
  prototype.all = async function (options) {
    if (reads++ === 0) await dropped
    return all.call(this, options)
  }
  const asked = get(db.level, '10007!')
  await until(() => reads === 1)
  use('!')
  await Promise.all([answer(db.rebuild), asked])
  assert.strictEqual(await asked, '10007!')
})

test('a reader that is in the middle comes to the end', async t => {
  const { db } = await openFilled(t)
  const read = db.level.read({ values: false, seqs: false })
  const next = () => new Promise(resolve => read(null, (end, key) => resolve(end ? undefined : key)))
  const keys = [await next()]
  const rebuilt = answer(db.rebuild)
  for (let key = await next(); key; key = await next()) keys.push(key)
  assert.deepStrictEqual(keys, await keysOf(db))
  await rebuilt
})

test('a live reader of deletions is told that all is void, and all again', async t => {
  const { db, use } = await openFilled(t)
  const told = []
  const ends = []
  pull(db.level.read({ live: true, deletions: true, values: false, seqs: false, gte: '12998' }),
    pull.drain(item => told.push(item), end => ends.push(end)))
  await until(() => told.length === 3)
  use('!')
  await answer(db.rebuild)
  await until(() => told.length === 6)
  assert.deepStrictEqual(told.splice(0), ['12998', '12999', { sync: true }, { type: 'fresh' }, '12998!', '12999!'])
  await answer(cb => db.append('2', cb))
  await until(() => told.length === 1)
  await answer(cb => db.del(messages, cb))
  await until(() => told.length === 2)
  assert.deepStrictEqual(told, ['2!', { type: 'del', key: '12999!', seq: messages }])
  assert.deepStrictEqual(ends, [])
})

test('a live reader of deletions who has gone keeps no program alive', () => {
  const { status, signal, stderr } = spawnSync(process.execPath, [path.join(__dirname, 'leaving-app.js'), path.join(newPlace(), 'log')],
    { encoding: 'utf8', timeout: 10000 })
  assert.deepStrictEqual([status, signal, stderr], [0, null, ''])
})
