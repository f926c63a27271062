'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('fs')
const path = require('path')
const { execFileSync } = require('child_process')
const { folder } = require('./support')

const ROOT = path.join(__dirname, '..', '..', '..')

/** Runs a program in a folder where it finds sluice-db, and answers with what it printed. */
function run (program, cwd) {
  return execFileSync(process.execPath, [program], {
    cwd, encoding: 'utf8', timeout: 60000, env: { ...process.env, NODE_PATH: path.join(ROOT, 'node') }
  })
}

test("the README's first program says what it should, and runs again where it was", t => {
  const program = path.join(ROOT, 'examples', 'first.js')
  const place = folder(t)
  assert.equal(run(program, place), "[ '@ada' ] { count: 1 }\n[ '@ada', 5 ] { author: '@ada', text: 'hello' }\n")
  assert.match(run(program, place), /^\[ '@ada' \] { count: 2 }\n/)
})

test("the first program of the package's README prints what is said there, and runs again where it was", t => {
  const readme = fs.readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8')
  const [, code, printed] = readme.match(/## A first program\s+```js\n(.*?)```\s+```\n(.*?)```/s)
  const place = folder(t)
  const program = path.join(place, 'program.js')
  fs.writeFileSync(program, code)
  assert.equal(run(program, place), printed)
  assert.match(run(program, place), /^\[ '@ada' \] my address is\n/)
})
