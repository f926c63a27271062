'use strict'
// After any history every view says what it would say if it were built from the messages that are left.

const { test } = require('node:test')
const path = require('path')
const createHistory = require('./history')
const { openOurs, openStock, compare } = require('./flume-views')
const { newPlace, answer, createRandom } = require('./help')

const histories = Number(process.env.HISTORIES || 6)
const steps = Number(process.env.STEPS || 40)

for (const [name, open] of [['sluice-flumedb', openOurs], ['stock flumedb', openStock]]) {
  for (let seed = 1; seed <= histories; seed++) {
    test(`history ${seed} below ${name}`, () => runHistory(open, createRandom(seed)))
  }
}

async function runHistory (open, random) {
  const file = path.join(newPlace(), 'flume', 'log')
  const history = createHistory(() => open(file), random)
  try {
    for (let i = 0; i < steps; i++) {
      await history.step()
      if (i % 8 === 7 || i === steps - 1) await compare(history.db, bySeq(history.live), random)
    }
  } finally {
    await answer(history.db.close)
  }
}

function bySeq (live) {
  return [...live].sort(([a], [b]) => a - b).map(([, message]) => message)
}
