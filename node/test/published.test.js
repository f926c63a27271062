'use strict'
// The tests that FlumeDB's packages are published with, over our packages: unchanged, but for what they
// require. Each file runs in a process of its own.

const { test } = require('node:test')
const assert = require('node:assert')
const path = require('path')
const { spawnSync } = require('child_process')

const log = 'flumelog-offset=flumelog-sluice'
const memory = 'flumelog-memory=./memory.js'
const flume = 'flumedb=sluice-flumedb'
const reduce = 'flumeview-reduce=sluice-flumedb/reduce'
const level = 'flumeview-level=sluice-flumedb/level'
const query = 'flumeview-query=sluice-flumedb/query'
const links = 'flumeview-links=sluice-flumedb/links'
// The parts of flumeview-query that have tests of their own.
const paths = 'flumeview-query/util=../../sluice-flumedb/lib/paths'
const select = 'flumeview-query/select=./select'
const bounds = 'flumeview-query/query=./bounds'
const random = undefined

// The numbers are what the tests pass with the packages that they were written for. `random`: 24 and one for each of
// a hundred messages that a coin decided on.
const suites = [
  // FlumeDB over other logs, with other views, which are foreign to it.
  ['flumedb/test/memlog.js', [flume], 36],
  ['flumedb/test/memlog-map.js', [flume], 8],
  ['flumedb/test/offset.js', [flume, log], 44],
  ['flumedb/test/rebuild.js', [flume, log], 16],
  // With views that the database keeps.
  ['flumedb/test/rebuild.js', [flume, log, level], 16],
  ['flumeview-level/test/index.js', [flume, log, level], 6],
  ['flumeview-level/test/live.js', [flume, log, level], 1],
  ['flumeview-reduce/test/index.js', [flume, memory, reduce], 14],
  ['flumeview-reduce/test/persistant.js', [flume, log, reduce], 14],
  ['flumeview-query/test/scan.js', [flume, log, query], random],
  ['flumeview-query/test/exact.js', [flume, log, query], 22],
  ['flumeview-query/test/random.js', [flume, log, query], 2001],
  ['flumeview-query/test/nested-links.js', [flume, log, query], 4],
  ['flumeview-query/test/memory.js', [flume, memory, query], random],
  ['flumeview-links/test/links.js', [flume, log, links], 4],
  ['flumeview-query/test/util.js', [paths], 6],
  ['flumeview-query/test/query.js', [select, bounds], 8],
  ['flumeview-query/test/select.js', [select], 6],
  ['flumeview-query/test/ssb-query.js', [select, bounds], 7],
  // The same views below stock flumedb.
  ['flumedb/test/rebuild.js', [log, level], 16],
  ['flumeview-level/test/index.js', [log, level], 6],
  ['flumeview-level/test/live.js', [log, level], 1],
  ['flumeview-reduce/test/index.js', [memory, reduce], 14],
  ['flumeview-reduce/test/persistant.js', [log, reduce], 14],
  ['flumeview-query/test/scan.js', [log, query], random],
  ['flumeview-query/test/exact.js', [log, query], 22],
  ['flumeview-query/test/random.js', [log, query], 2001],
  ['flumeview-query/test/nested-links.js', [log, query], 4],
  ['flumeview-links/test/links.js', [log, links], 4],
  // Stock FlumeDB with its own views, on our log.
  ['flumedb/test/offset.js', [log], 44],
  ['flumedb/test/rebuild.js', [log], 16],
  ['flumeview-level/test/index.js', [log], 6],
  ['flumeview-level/test/live.js', [log], 1],
  ['flumeview-query/test/random.js', [log], 2001],
  ['flumeview-links/test/links.js', [log], 4]
]

for (const flume of ['sluice-flumedb', 'flumedb']) {
  for (const [suite, count] of [['test-flumeview-index', 6], ['test-flumeview-index/read', 14], ['test-flumeview-index/live', 1]]) {
    test(`${suite} over level, below ${flume}`, () => {
      const { output, code } = runNode([path.join(__dirname, 'peers', 'test-flumeview-index.js'), suite, flume])
      assert.strictEqual(code, 0, output)
      assert.strictEqual((output.match(/^ok /gm) || []).length, count, output)
    })
  }
}

for (const [file, replaced, count] of suites) {
  test(`${file} with ${replaced.join(', ')}`, () => {
    const { output, code } = run(file, replaced)
    const passed = (output.match(/^\s*ok /gm) || []).length
    assert.doesNotMatch(output, /^\s*not ok /m)
    assert.strictEqual(code, 0, output)
    assert.match(output, new RegExp(`^1\\.\\.${passed}$`, 'm')) // As many as it has, itself.
    if (count === random) assert.ok(passed > 25, output)
    else assert.strictEqual(passed, count, output)
  })
}

function run (file, replaced) {
  const modules = path.join(__dirname, '..', 'node_modules')
  const loader = path.join(__dirname, 'peers', 'loader.js')
  return runNode(['--require', loader, path.join(modules, file)], { REPLACE: replaced.join(',') })
}

function runNode (args, variables) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, ...variables }, encoding: 'utf8', timeout: 60000, maxBuffer: 1e8
  })
  return { output: stdout + stderr, code: status }
}
