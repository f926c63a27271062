// ssb-db2 8.1.0 with box2: a group's key comes, and messages that were unreadable open.
//   node bench.js LOG.offset DIRECTORY    LOG.offset.key has the group's key in base64
// The log becomes ssb-db2's, its indexes are made by the queries below, and then it is the key's
// turn: addGroupInfo(), reindexEncrypted(), and the same queries until they are right. A second
// directory does it the other way that there is, db.reset().
'use strict'
const fs = require('fs')
const path = require('path')
const bipf = require('bipf')
const AppendOnlyLog = require('async-append-only-log')
const SecretStack = require('secret-stack')
const { where, type, author, hasRoot, count, toCallback } = require('ssb-db2/operators')

const [log, directory] = process.argv.slice(2)
const report = (name, value, unit) => console.log(JSON.stringify({ name, value, unit }))
const seconds = begin => Number(process.hrtime.bigint() - begin) / 1e9
const called = f => new Promise((resolve, reject) => f((err, v) => err ? reject(err) : resolve(v)))
// They are written a while after they changed.
const indexesAreWritten = () => new Promise(resolve => setTimeout(resolve, 2500))

// flumelog-offset: length, bytes, length, and where the record ends, in 32 bits each.
function * records () {
  const file = fs.readFileSync(log)
  for (let at = 0; at < file.length;) {
    const size = file.readUInt32BE(at)
    yield JSON.parse(file.toString('utf8', at + 4, at + 4 + size))
    at += size + 12
  }
}

const convert = async to => {
  const out = AppendOnlyLog(path.join(to, 'db2', 'log.bipf'), { blockSize: 64 * 1024 })
  const boxed = []
  for (const message of records()) {
    const content = message.value.content
    if (typeof content === 'string' && content.endsWith('.box2')) boxed.push(message)
    await called(cb => out.append(bipf.allocAndEncode(message), cb))
  }
  await called(cb => out.onDrain(cb))
  await called(cb => out.close(cb))
  return boxed
}

const start = to => {
  const keys = require('ssb-keys').loadOrCreateSync(path.join(to, 'secret'))
  return SecretStack({ appKey: require('ssb-caps').shs })
    .use(require('ssb-db2/core'))
    .use(require('ssb-classic'))
    .use(require('ssb-box'))
    .use(require('ssb-box2'))
    .call(null, { keys, path: to, box2: { legacyMode: true } })
}

const measure = async (name, reopen) => {
  const to = path.join(directory, name)
  fs.rmSync(to, { recursive: true, force: true })
  fs.mkdirSync(path.join(to, 'db2'), { recursive: true })
  const boxed = await convert(to)
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
