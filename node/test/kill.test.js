'use strict'
// An application on FlumeDB is killed at random times. What it was told to be done is done, all else is done or not,
// and every view is right when it is opened again.

const { test } = require('node:test')
const assert = require('node:assert')
const path = require('path')
const { spawn } = require('child_process')
const { isDeepStrictEqual } = require('util')
const { openOurs, compare } = require('./flume-views')
const { newPlace, answer, collect, createRandom } = require('./help')

const kills = Number(process.env.KILLS || 8)
const killPlaces = 2 // Each with half of the kills.
const livesMsMax = 1500

for (let seed = 1; seed <= killPlaces; seed++) {
  test(`killed again and again, ${seed}`, async () => {
    const random = createRandom(seed)
    const file = path.join(newPlace(), 'flume', 'log')
    let known = new Map()
    for (let i = 0; i < kills / killPlaces; i++) {
      const changes = await killSoon(file, random)
      known = await openAgain(file, random, known, changes)
    }
  })
}

/** Resolves with what the application has written before it was killed. */
async function killSoon (file, random) {
  const app = spawn(process.execPath, [path.join(__dirname, 'killed-app.js'), file, String(random.below(2 ** 30))],
    { stdio: ['ignore', 'pipe', 'inherit'] })
  const wait = setTimeout(() => app.kill('SIGKILL'), random.below(livesMsMax))
  let written = ''
  app.stdout.on('data', bytes => { written += bytes })
  const signal = await new Promise(resolve => app.on('close', (status, signal) => resolve(signal)))
  clearTimeout(wait)
  assert.strictEqual(signal, 'SIGKILL', 'it has not ended by itself')
  return written.split('\n').slice(0, -1).map(line => JSON.parse(line))
}

async function openAgain (file, random, known, changes) {
  const db = openOurs(file)
  try {
    const found = new Map((await collect(db.stream())).map(({ seq, value }) => [seq, value]))
    assertDone(found, known, changes)
    await compare(db, [...found.values()], random)
    return found
  } finally {
    await answer(db.close)
  }
}

/** `known` was there before `changes`, of which the last one may have been cut short. */
function assertDone (found, known, changes) {
  const done = new Map(known)
  for (const { removed = [], put = [] } of changes) {
    removed.forEach(seq => done.delete(seq))
    put.forEach(([seq, message]) => done.set(seq, message))
  }
  const { wished } = changes.at(-1) || {}
  if (!wished || !isDeepStrictEqual(found, carriedOut(wished, done, found))) assert.deepStrictEqual(found, done)
}

function carriedOut ({ remove = [], put = [], append = [] }, messages, found) {
  const wished = new Map(messages)
  remove.forEach(seq => wished.delete(seq))
  put.forEach(([seq, message]) => wished.set(seq, message))
  const appended = [...found.keys()].filter(seq => !wished.has(seq) && !remove.includes(seq))
  append.forEach((message, i) => wished.set(appended[i], message))
  return wished
}
