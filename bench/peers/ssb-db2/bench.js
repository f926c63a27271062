// ssb-db2 8.1.0 with box2: a group's key comes, and messages that were unreadable open.
//   node bench.js LOG.offset DIRECTORY    LOG.offset.key has the group's key in base64
// The log becomes ssb-db2's, its indexes are made by the queries below, and then it is the key's
// turn: addGroupInfo(), reindexEncrypted(), and the same queries until they are right. A second
// directory does it the other way that there is, db.reset().
'use strict'
const fs = require('fs')
const path = require('path')
const { report, seconds, called, indexesAreWritten, records, convert, start } = require('./common')
const { where, type, author, hasRoot, count, toCallback } = require('ssb-db2/operators')

const [log, directory] = process.argv.slice(2)

const isBoxed = ({ value: { content } }) => typeof content === 'string' && content.endsWith('.box2')

const measure = async (name, reopen) => {
  const to = path.join(directory, name)
  await convert(log, to)
  const boxed = [...records(log)].filter(isBoxed)
  const root = boxed[0].key
  const stack = start(to)
  const query = (...operators) => called(cb => stack.db.query(where(...operators), count(), toCallback(cb)))
  const ask = async () => ({
    posts: await query(type('post')),
    inThread: await query(hasRoot(root)),
    byMember: await query(author(boxed[0].value.author))
  })
  await called(cb => stack.db.onDrain('base', () => cb()))
  await ask()
  const before = await ask()
  await indexesAreWritten()

  const began = process.hrtime.bigint()
  const key = Buffer.from(fs.readFileSync(log + '.key', 'utf8'), 'base64')
  const group = '%' + Buffer.alloc(32, 1).toString('base64') + '.cloaked'
  await called(cb => stack.box2.addGroupInfo(group, { key, root }, cb))
  await called(cb => reopen(stack, cb))
  const reindexed = seconds(began)
  const after = await ask()
  const right = seconds(began)
  if (before.inThread !== 0 || after.posts !== before.posts + boxed.length ||
      after.inThread !== boxed.length - 1 || after.byMember !== before.byMember) {
    throw new Error('not right: ' + JSON.stringify({ before, after, boxed: boxed.length }))
  }
  report(`ssb-db2: ${name}`, reindexed, 's')
  report(`ssb-db2: ${name}, until all queries are right`, right, 's')
  await indexesAreWritten()
  await called(cb => stack.close(true, cb))
  fs.rmSync(to, { recursive: true, force: true })
}

const run = async () => {
  await measure('reindexEncrypted', (stack, cb) => stack.db.reindexEncrypted(cb))
  await measure('reset', (stack, cb) => stack.db.reset(cb))
}
run().then(() => process.exit(0), err => {
  console.error(err)
  process.exit(1)
})
