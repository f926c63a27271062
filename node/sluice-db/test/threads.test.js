'use strict'
// Worker threads, ends that nobody planned, and many openings.
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { spawnSync } = require('child_process')
const { Worker } = require('worker_threads')
const { open } = require('..')
const { folder } = require('./support')

const SLUICE = JSON.stringify(path.join(__dirname, '..'))

/** Runs code in a worker thread until it posts a message. */
function inThread (code, workerData) {
  const worker = new Worker(`
    const { parentPort, workerData } = require('worker_threads')
    const { open } = require(${SLUICE})
    ;(async () => { ${code} })().catch(error => parentPort.postMessage({ error: error.message }))
  `, { eval: true, workerData })
  const posted = new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  return { worker, posted }
}

/** Runs code as a program of its own. */
function inProcess (code) {
  return spawnSync(process.execPath, ['-e', `
    const { open } = require(${SLUICE})
    ;(async () => { ${code} })()
  `], { encoding: 'utf8', timeout: 60000 })
}

async function filled (place, count) {
  const db = await open(place, { durability: 'none' })
  await db.appendAll(Array.from({ length: count }, (_, n) => ({ value: { n } })))
  return db
}

test('a worker thread reads beside the thread that writes, with functions of its own', async t => {
  const db = await filled(path.join(folder(t), 'db'), 5000)
  t.after(() => db.close())
  await db.addView('n', { app: 'test', map: ({ value }, emit) => emit([value.n % 10]) })
  const { worker, posted } = inThread(`
    const db = await open(workerData, { readOnly: true })
    await db.addView('n', { app: 'test', map: ({ value }, emit) => emit([value.n % 10]) })
    const counts = [await db.view('n').count({ prefix: [3] })]
    for await (const message of db.log({ live: true, from: db.last + 1 })) {
      counts.push(message.value.n, await db.view('n').count({ prefix: [3] }))
      break
    }
    await db.close()
    parentPort.postMessage(counts)
  `, db.path)
  const tick = setInterval(() => db.append({ n: 13 }).catch(() => {}), 50)
  const counts = await posted
  clearInterval(tick)
  assert.ok(counts[0] >= 500)
  assert.equal(counts[1], 13)
  assert.ok(counts[2] > counts[0])
  await worker.terminate()
})

test('two threads may each write a database, and not the same', async t => {
  const place = folder(t)
  const db = await filled(path.join(place, 'a'), 10)
  t.after(() => db.close())
  const { posted } = inThread(`
    const own = await open(workerData + '/b')
    await own.append(1)
    const refused = await open(workerData + '/a').catch(error => error.code)
    await own.close()
    parentPort.postMessage(refused)
  `, place)
  assert.equal(await posted, 'busy')
})

test('a thread that is ended while its function maps leaves a database that is whole', async t => {
  const place = path.join(folder(t), 'db')
  await (await filled(place, 20000)).close()
  const { worker, posted } = inThread(`
    const db = await open(workerData, { durability: 'none' })
    let calls = 0
    await db.addView('slow', { app: 'test', map: ({ value }, emit) => {
      if (++calls === 100) parentPort.postMessage('mapping')
      for (let i = 0; i < 2e4; i++);
      emit([value.n])
    } })
  `, place)
  assert.equal(await posted, 'mapping')
  await worker.terminate()
  const db = await open(place)
  t.after(() => db.close())
  const view = await db.addView('slow', { app: 'test', map: ({ value }, emit) => emit([value.n]) })
  assert.equal(await view.count(), 20000)
  assert.ok((await db.verify()).equal)
})

test('a program that exits in the middle of its work ends, and what was acknowledged is there', async t => {
  const place = path.join(folder(t), 'db')
  const { status, stderr } = inProcess(`
    const db = await open(${JSON.stringify(place)})
    await db.append({ n: 0 })
    await db.addView('n', { app: 'test', map: ({ value }, emit) => {
      if (value.n === 700) process.exit(7)
      emit([value.n])
    } })
    db.appendAll(Array.from({ length: 1000 }, (_, n) => ({ value: { n } })))
    for await (const message of db.log({ live: true })) ;
  `)
  assert.equal(stderr, '')
  assert.equal(status, 7)
  const db = await open(place)
  t.after(() => db.close())
  assert.deepEqual((await db.get(1)).value, { n: 0 })
  await db.addView('n', { app: 'test', map: ({ value }, emit) => emit([value.n]) })
  assert.ok((await db.verify()).equal)
})

test('an open database keeps no process alive, and a live iterator does', () => {
  const place = path.join(require('os').tmpdir(), `sluice-${process.pid}-alive`)
  const idle = inProcess(`await open(${JSON.stringify(place)}); console.log('open')`)
  assert.equal(idle.stdout, 'open\n')
  assert.equal(idle.status, 0)
  const live = inProcess(`
    const db = await open(${JSON.stringify(place)})
    setTimeout(() => db.append('late'), 100).unref()
    for await (const { value } of db.log({ live: true })) {
      console.log(value)
      db.close()
    }
  `)
  require('fs').rmSync(place, { recursive: true })
  assert.equal(live.stdout, 'late\n')
})

test('opening, deriving and closing hundreds of times leaves no memory behind', async t => {
  const place = path.join(folder(t), 'db')
  await (await filled(place, 100)).close()
  const once = async () => {
    const db = await open(place, { durability: 'none' })
    await db.addView('n', { app: 'test', map: ({ value }, emit) => emit([value.n]) })
    assert.equal((await db.view('n').all({ limit: 10, messages: true })).length, 10)
    for await (const message of db.log()) if (message.seq > 3) break
    const following = db.view('n').follow()
    await following.next()
    await following.return()
    await db.close()
  }
  const rounds = async count => { for (let i = 0; i < count; i++) await once() }
  await rounds(100)
  const before = process.memoryUsage().rss
  await rounds(300)
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 20 * 1024 * 1024, `grown by ${(grown / 1048576).toFixed(1)} MB`)
})

test('several openings at once of what is not there yet make one database, and lose nothing', async t => {
  for (let round = 0; round < 30; round++) {
    const place = path.join(folder(t), 'db')
    const openings = await Promise.allSettled([1, 2, 3].map(() => open(place)))
    const opened = openings.filter(({ value }) => value)
    for (const { reason } of openings) if (reason) assert.equal(reason.code, 'busy')
    assert.equal(opened.length, 1)
    await opened[0].value.append({ round })
    await opened[0].value.close()
    const again = await open(place)
    assert.equal(again.last, 1)
    await again.close()
  }
})

test('what a listener throws is an uncaught exception, and the other listeners are told', t => {
  const { status, stdout, stderr } = inProcess(`
    const alive = setInterval(() => {}, 1000) // A listener keeps no process alive.
    const caught = new Set()
    process.on('uncaughtException', error => caught.add(error.message))
    const db = await open(${JSON.stringify(path.join(folder(t), 'db'))}, { durability: 'none' })
    db.onEntry(() => { throw new Error('of a listener') })
    const told = new Promise(resolve => db.onEntry(resolve))
    await db.append(1)
    await told
    await db.verify({ onProgress () { throw new Error('of progress') } })
    await new Promise(resolve => setTimeout(resolve, 20))
    await db.close()
    clearInterval(alive)
    console.log([...caught].join())
  `)
  assert.equal(stderr, '')
  assert.equal(stdout, 'of a listener,of progress\n')
  assert.equal(status, 0)
})
