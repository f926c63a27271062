'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { open } = require('..')
const { folder } = require('./support')

const COUNT = 20000

/** A view whose function asks the database that it is of. `began` is called when it is first called. */
const asking = (db, began = () => {}) => ({
  app: 'test',
  map ({ value }, emit) {
    began()
    db.getNow(1, { stored: true })
    emit([value.n])
  }
})

async function filled (place) {
  const db = await open(place, { durability: 'none' })
  await db.appendAll(Array.from({ length: COUNT }, (_, n) => ({ value: { n } })))
  await db.close()
}

async function assertComplete (place, name) {
  const db = await open(place, { durability: 'none' })
  const view = await db.addView(name, asking(db))
  await db.waitForViews()
  assert.equal(await view.count(), db.last)
  assert.ok((await db.verify()).equal)
  await db.close()
}

test('closing while a view is built, whose function asks the database, costs no message its rows', async t => {
  const place = path.join(folder(t), 'db')
  await filled(place)
  const db = await open(place, { durability: 'none' })
  const added = db.addView('n', asking(db))
  await db.close()
  await added // It was asked for before.
  await assertComplete(place, 'n')
})

test('closing while messages are appended, whose function asks the database, costs none its rows', async t => {
  const place = path.join(folder(t), 'db')
  const db = await open(place, { durability: 'none' })
  await db.addView('n', asking(db))
  const appended = db.appendAll(Array.from({ length: COUNT }, (_, n) => ({ value: { n } })))
  await db.close()
  assert.equal(await appended, 1)
  await assertComplete(place, 'n')
})

test('closing while a view catches up in the background costs no message its rows', async t => {
  const place = path.join(folder(t), 'db')
  const first = await open(place, { durability: 'none' })
  await first.addView('n', asking(first))
  await first.close()
  await filled(place)
  const db = await open(place, { durability: 'none' })
  let hasBegun = false
  await db.addView('n', { ...asking(db, () => { hasBegun = true }), whenBehind: 'read-on' })
  while (!hasBegun) await new Promise(resolve => setTimeout(resolve, 1)) // What is behind keeps no process alive.
  await db.close()
  await assertComplete(place, 'n')
})

test('closing while a view is built, whose function then fails because it is closed, leaves it to the next opening', async t => {
  const place = path.join(folder(t), 'db')
  await filled(place)
  const db = await open(place, { durability: 'none' })
  const errors = []
  const map = ({ value }, emit) => db.last && emit([value.n])
  const added = db.addView('n', { app: 'test', map, onError: error => errors.push(error) })
  await Promise.all([assert.rejects(added, { code: 'ended' }), db.close()])
  assert.deepEqual(errors, [])
  await assertComplete(place, 'n')
})

test('what is asked for after close() is refused, also before it has resolved', async t => {
  const db = await open(path.join(folder(t), 'db'))
  const closed = db.close()
  await assert.rejects(db.append({ n: 1 }), { code: 'closed' })
  await assert.rejects(db.view('n').all(), { code: 'closed' })
  await closed
  assert.throws(() => db.getNow(1), { code: 'closed' })
})
