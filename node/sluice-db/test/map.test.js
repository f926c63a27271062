'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { database, folder } = require('./support')

const keysOf = rows => rows.map(({ key, seq }) => [...key, seq])

test('a key that the function goes on with is emitted as it was', async t => {
  const db = await database(t)
  await db.appendAll([1, 2, 3].map(n => ({ value: { n } })))
  const key = []
  const reusing = await db.addView('reusing', { app: 'test', map: ({ value }, emit) => { key[0] = value.n; emit(key) } })
  const growing = await db.addView('growing', {
    app: 'test',
    map: ({ value }, emit) => {
      const path = []
      for (const step of ['a', [value.n]]) {
        path.push(step)
        emit(path)
        if (Array.isArray(step)) step.push('later')
      }
    }
  })
  await db.append({ n: 4 })
  assert.deepEqual(keysOf(await reusing.all()), [[1, 1], [2, 2], [3, 3], [4, 4]])
  assert.deepEqual((await growing.all({ prefix: ['a', [2]] })).length, 1)
  assert.equal((await db.verify()).equal, true)
})

test('a hole in a key is no element', async t => {
  const db = await database(t)
  const errors = []
  const view = await db.addView('holes', {
    app: 'test',
    map: (message, emit) => emit([, 1]), // eslint-disable-line no-sparse-arrays
    onError: error => errors.push(error.code)
  })
  await db.append({})
  assert.deepEqual([await view.count(), errors], [0, ['invalid_argument']])
  await assert.rejects(view.all({ prefix: [, 1] }), { code: 'invalid_argument' }) // eslint-disable-line no-sparse-arrays
})

test('a value that is emitted to an index is told to onError', async t => {
  const db = await database(t)
  const errors = []
  const view = await db.addView('index', {
    app: 'test', map: (message, emit) => emit([1], 2), onError: ({ code, message }) => errors.push(code + ': ' + message)
  })
  await db.append({})
  assert.deepEqual(errors, ['invalid_argument: the rows of an index have no value'])
  assert.deepEqual([await view.count(), (await view.info()).errors], [0, 1])
})

test('what onError throws reaches the program, and the database goes on', async t => {
  const program = `
    const { open } = require(${JSON.stringify(path.join(__dirname, '..'))})
    process.on('uncaughtException', error => console.log('uncaught', error.message))
    async function main () {
      const db = await open(${JSON.stringify(path.join(folder(t), 'db'))})
      const view = await db.addView('v', {
        app: 'a',
        map: ({ value }, emit) => { if (value.bad) throw null; emit([value.n]) },
        onError: error => console.log(error.message)
      })
      await db.appendAll([{ value: { bad: true } }, { value: { n: 1 } }])
      await db.append({ n: 2 })
      console.log(await view.count(), (await view.info()).errors)
      await db.close()
    }
    main()`
  const said = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }).trim().split('\n')
  assert.match(said[0], /^uncaught Cannot read properties of null/)
  assert.deepEqual(said.slice(1), ['2 1'])
})
