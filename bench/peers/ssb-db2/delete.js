// ssb-db2 8.1.0: its first indexes, and one feed deleted.
//   node delete.js LOG.offset DIRECTORY
// The log becomes ssb-db2's. Timed are opening and the queries below, which make their indexes; then deleteFeed() of
// the feed that wrote nearest to 1 %, compact(), and the same queries until they are right.
'use strict'
const fs = require('fs')
const { report, seconds, called, indexesAreWritten, records, convert, start } = require('./common')
const { where, type, author, count, toCallback } = require('ssb-db2/operators')

const [log, directory] = process.argv.slice(2)

const isPost = ({ value: { content } }) => content.type === 'post'

const feedOfOnePercent = messages => {
  const counts = new Map()
  for (const { value } of messages) counts.set(value.author, (counts.get(value.author) || 0) + 1)
  const distance = feed => Math.abs(counts.get(feed) - messages.length / 100)
  return [...counts.keys()].sort((a, b) => distance(a) - distance(b))[0]
}

const run = async () => {
  await convert(log, directory)
  const messages = [...records(log)]
  const feed = feedOfOnePercent(messages)
  const theirs = messages.filter(message => message.value.author === feed)
  const began = process.hrtime.bigint()
  const stack = start(directory)
  const query = (...operators) => called(cb => stack.db.query(where(...operators), count(), toCallback(cb)))
  const ask = async () => ({ posts: await query(type('post')), byFeed: await query(author(feed)) })
  const drained = () => called(cb => stack.db.onDrain('base', () => cb()))
  await drained()
  const before = await ask()
  report('ssb-db2: derive the indexes of a log', messages.length / seconds(began), 'messages/s')
  await indexesAreWritten()

  const begin = process.hrtime.bigint()
  await called(cb => stack.db.deleteFeed(feed, cb))
  report('ssb-db2: deleteFeed', seconds(begin), 's')
  await called(cb => stack.db.compact(cb))
  await drained()
  const after = await ask()
  report('ssb-db2: deleteFeed and compact, until all queries are right', seconds(begin), 's')
  if (before.byFeed !== theirs.length || after.byFeed !== 0 || after.posts !== before.posts - theirs.filter(isPost).length) {
    throw new Error('not right: ' + JSON.stringify({ before, after, theirs: theirs.length }))
  }
  await called(cb => stack.close(true, cb))
  fs.rmSync(directory, { recursive: true, force: true })
}
run().then(() => process.exit(0), err => {
  console.error(err)
  process.exit(1)
})
