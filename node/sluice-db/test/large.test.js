'use strict'
// What is larger than a text of JavaScript, in all or by itself. Takes half a minute and 2 GB: LARGE=1 npm test.
const test = require('node:test')
const assert = require('node:assert/strict')
const { database } = require('./support')

const skip = process.env.LARGE ? false : 'LARGE=1 runs it'
const LETTERS = 600000 // Of a key. A thousand of them are more than a text can have.

async function filled (t) {
  const db = await database(t)
  for (let batch = 0; batch < 10; batch++) {
    const messages = Array.from({ length: 100 }, (_, n) => ({ value: { key: `${batch}-${n}`.padEnd(LETTERS, 'x') } }))
    await db.appendAll(messages)
  }
  return db
}

test('rows with long keys are read a few at a time; what does not fit into an answer is said', { skip }, async t => {
  const db = await filled(t)
  const view = await db.addView('long', { kind: 'index', key: ['/key'] })
  let count = 0
  for await (const { key } of view.read()) if (key[0].length === LETTERS) count++
  assert.equal(count, 1000)
  await assert.rejects(view.follow().next(), { code: 'invalid_argument', message: /too long for a text/ })
})

test('rows of a function are more than a text can have', { skip }, async t => {
  const db = await filled(t)
  const view = await db.addView('long', { app: 'test', map: ({ value }, emit) => emit([value.key]) })
  assert.equal(await view.count(), 1000)
})
