'use strict'
// A program on FlumeDB closes, or ends, while its views are being built: the next opening has them whole.

const { test } = require('node:test')
const assert = require('node:assert')
const path = require('path')
const { spawnSync } = require('child_process')
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

async function assertIsWhole (db, count = messages) {
  assert.strictEqual((await answer(cb => db.level.get(['n', count - 1], cb))).i, count - 1)
  const database = await createLog.inside(db.since).opened
  assert.strictEqual(await database.view('flume:level').count(), count)
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

const mapper = (value, cb) => cb(null, value)

test('closing before the mapper has answered', async () => {
  const file = newFile()
  await fill(file)
  const log = createLog(file)
  const db = useLevel(log, () => {})
  await log.sluice()
  await close(db)
  await assertIsWhole(useLevel(createLog(file), mapper))
})

test('closing before the mapper has answered, when others wait for nothing', async () => {
  const file = newFile()
  const late = useLevel(createLog(file), () => {})
  await answer(cb => late.append(Array.from({ length: 10 }, (_, i) => ({ i })), cb))
  await close(late)
  const stillLate = useLevel(createLog(file), () => {})
  await answer(cb => stillLate.append({ i: 10 }, cb))
  await close(stillLate)
  await assertIsWhole(useLevel(createLog(file)), 11)
})

// A view that is whole shows it by mapping nothing when it is opened again.
for (const when of ['0', '5', '20', '60', '200']) {
  test(`a program that ends after ${when} ms, before its mapper has answered`, async () => {
    const file = newFile()
    await fill(file)
    endIn(file, when)
    await assertIsWhole(useLevel(createLog(file), mapper))
    let mapped = 0
    const db = useLevel(createLog(file), (value, cb) => { mapped++; cb(null, value) })
    await answer(cb => db.level.get('none', cb)).catch(() => {})
    assert.strictEqual(mapped, 0)
    await close(db)
  })
}

test('a program that ends while the first message is appended, before its mapper has answered', async () => {
  const file = newFile()
  endIn(file, 'append')
  const db = useLevel(createLog(file), mapper)
  await assertIsWhole(db, 1)
})

function endIn (file, when) {
  const { status, stderr } = spawnSync(process.execPath, [path.join(__dirname, 'late-app.js'), file, when], { encoding: 'utf8' })
  assert.strictEqual(status, 0, stderr)
}
