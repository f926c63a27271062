'use strict'
// index.d.ts: a program compiles against it, and what it declares is there.
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { spawnSync } = require('child_process')
const sluice = require('..')
const { database } = require('./support')

const PACKAGE = path.join(__dirname, '..')

function typescript () {
  try {
    return require('typescript')
  } catch {
    return undefined
  }
}

const ts = typescript()
const options = { skip: !ts && 'typescript is not installed: npm install in node/' }

test('a program in TypeScript compiles against the declarations, and its mistakes do not', options, () => {
  const compiler = require.resolve('typescript/bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [
    compiler, '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node',
    path.join(__dirname, 'types', 'usage.ts')
  ], { cwd: PACKAGE, encoding: 'utf8', timeout: 120000 })
  assert.equal(stdout, '')
  assert.equal(status, 0)
})

/** The members that a class or an interface declares, by its name. */
function declared () {
  const file = path.join(PACKAGE, 'index.d.ts')
  const source = ts.createSourceFile(file, ts.sys.readFile(file), ts.ScriptTarget.Latest)
  const members = {}
  for (const statement of source.statements) {
    if (!statement.members) continue
    members[statement.name.text] = statement.members.filter(member => member.name).map(member => member.name.text)
  }
  return members
}

test('what is declared is there', options, async t => {
  const db = await database(t, { durability: 'none', scuttlebutt: true })
  await db.append({ n: 1 })
  const view = await db.addView('n', { kind: 'index', key: ['/n'] })
  const message = await db.get(db.last)
  const error = await db.view('none').all().catch(error => error)
  const feed = db.feed({ once: true })
  const batch = (await feed.next()).value
  const members = declared()
  const optional = { Message: ['change'], SluiceError: ['errno'], FeedChange: ['message'] }
  const isHere = (name, object) => {
    const missing = members[name].filter(member => !(member in object) && !(optional[name] || []).includes(member))
    assert.deepEqual(missing, [], name)
  }
  isHere('Database', db)
  isHere('Scuttlebutt', db.scuttlebutt)
  isHere('View', view)
  isHere('Message', message)
  isHere('SluiceError', error)
  isHere('Feed', feed)
  isHere('FeedBatch', batch)
  isHere('FeedChange', batch.changes[0])
  isHere('ViewInfo', await view.info())
  isHere('Stats', await db.stats())
  isHere('VerifyReport', await db.verify())
  assert.deepEqual(Object.keys(sluice).sort(), ['Database', 'Message', 'SluiceError', 'open', 'openOptions'])
})
