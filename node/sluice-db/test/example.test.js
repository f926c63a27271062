'use strict'
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { execFileSync } = require('child_process')
const { folder } = require('./support')

test("the README's first program says what it should", t => {
  const root = path.join(__dirname, '..', '..', '..')
  const said = execFileSync(process.execPath, [path.join(root, 'examples', 'first.js')], {
    cwd: folder(t), encoding: 'utf8', env: { ...process.env, NODE_PATH: path.join(root, 'node') }
  })
  assert.equal(said, "[ '@ada' ] { count: 1 }\n[ '@ada', 5 ] { author: '@ada', text: 'hello' }\n")
})
