'use strict'
// A program on FlumeDB closes, or ends, while its views are being built: the next opening has them whole.

const { test } = require('node:test')
const assert = require('node:assert')
const path = require('path')
const createLog = require('flumelog-sluice')
const createFlume = require('sluice-flumedb')
const createLevel = require('sluice-flumedb/level')
const { newPlace, answer } = require('./help')

const messages = 20000

const newFile = () => path.join(newPlace(), 'flume', 'log')
const close = db => answer(db.close)

async function fill (file) {
  const log = createLog(file)
  await answer(cb => log.append(Array.from({ length: messages }, (_, i) => ({ i })), cb))
  await answer(log.close)
}

const useLevel = (log, mapper) => createFlume(log, true, mapper).use('level', createLevel(1, msg => [['n', msg.i]]))

async function assertIsWhole (db) {
  assert.strictEqual((await answer(cb => db.level.get(['n', messages - 1], cb))).i, messages - 1)
  const database = await createLog.inside(db.since).opened
  assert.strictEqual(await database.view('flume:level').count(), messages)
  assert.ok((await database.verify()).equal)
  await close(db)
}

test('closing while a view is built whose messages are read with what is stored', async () => {
  const file = newFile()
  await fill(file)
  const open = () => createLog(file, { read: (value, stored) => ({ ...value, raw: stored() }) })
  const log = open()
  const db = useLevel(log)
  await log.sluice()
  await close(db)
  await assertIsWhole(useLevel(open()))
})
