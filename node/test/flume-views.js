'use strict'
// Views of all kinds, Sluice's own and FlumeDB's, of random messages; and the oracle: each says what FlumeDB's own
// view says that is built from the messages that are left.

const assert = require('node:assert')
const path = require('path')
const pull = require('pull-stream')
const createLog = require('flumelog-sluice')
const createFlume = require('sluice-flumedb')
const createStockFlume = require('flumedb')
const createOffsetLog = require('flumelog-offset')
const { json } = require('flumecodec')
const { newPlace, answer, collect } = require('./help')

const words = ['ash', 'birch', 'cedar', 'é', '🙂', 'zz']
// Not null, which flumeview-level refuses.
const keyKinds = [true, false, -3, 0, 2.5, 7, 'ash', 'birch', ['ash', 1], ['ash', 2], ['ash'], [['x'], 'y']]

const keysOf = msg => msg.keys
const step = (acc, n, seq) => (acc * 31 + n) % 1000003
const itemOf = msg => msg.n % 5 === 0 ? null : msg.n
const queryOptions = {
  exact: false,
  indexes: [
    { key: 'w', value: ['word'] },
    { key: 'wn', value: ['word', 'n'] },
    { key: 'one', value: [['deep', 'n']], exact: true }
  ]
}
const linkIndexes = [{ key: 'WN', value: ['word', 'n'] }, { key: 'NW', value: ['n', 'word'] }]
const emitLinks = (msg, emit) => { for (const key of msg.keys) emit({ word: msg.word, n: msg.n, key }) }

function useOurs (db) {
  return db
    .use('level', require('sluice-flumedb/level')(1, keysOf))
    .use('fold', require('sluice-flumedb/reduce')(1, step, itemOf, null, 1))
    .use('sum', require('sluice-flumedb/reduce')(1, {
      reduce: (acc, n) => acc + n, undo: (acc, n) => acc - n, map: itemOf, initial: 0
    }))
    .use('query', require('sluice-flumedb/query')(1, queryOptions))
    .use('links', require('sluice-flumedb/links')(linkIndexes, emitLinks, 1))
}

// Foreign to sluice-flumedb: they are built anew when a message goes.
function useForeign (db) {
  db.onWarning = () => {}
  return db
    .use('foreignFold', require('flumeview-reduce')(1, step, itemOf, null, 1))
    .use('foreignLevel', require('flumeview-level')(1, keysOf))
}

function useStock (db) {
  return db
    .use('level', require('flumeview-level')(1, keysOf))
    .use('fold', require('flumeview-reduce')(1, step, itemOf, null, 1))
    .use('sum', require('flumeview-reduce')(1, (acc, n) => acc + n, itemOf, null, 0))
    .use('query', require('flumeview-query')(1, queryOptions))
    .use('links', require('flumeview-links')(linkIndexes, emitLinks, 1))
}

exports.openOurs = file => useForeign(useOurs(createFlume(createLog(file))))
exports.openStock = file => useOurs(createStockFlume(createLog(file)))

exports.newMessage = function newMessage (random) {
  const n = random.below(50)
  const message = { word: random.of(words), n, keys: Array.from({ length: random.below(3) }, () => random.of(keyKinds)) }
  if (random.below(3)) message.deep = { n: random.below(4) }
  return message
}

/** Holds every view of `db` against FlumeDB's, which are built from `messages`. */
exports.compare = async function compare (db, messages, random) {
  const stock = useStock(createStockFlume(createOffsetLog(path.join(newPlace(), 'log'), { codec: json })))
  if (messages.length > 0) await answer(cb => stock.append(messages, cb))

  assert.deepStrictEqual(await collect(db.stream({ seqs: false })), messages)
  const reads = levelReads(random)
  assert.deepStrictEqual(await readAll(db.level, reads), await readAll(stock.level, reads))
  for (const key of keyKinds) {
    assert.deepStrictEqual(await valueOf(db.level, key), await valueOf(stock.level, key), JSON.stringify(key))
  }
  for (const view of ['fold', 'sum']) {
    assert.strictEqual(await answer(cb => db[view].get(cb)), await answer(cb => stock[view].get(cb)), view)
  }
  const queries = queryReads(random)
  assert.deepStrictEqual(await readAll(db.query, queries), await readAll(stock.query, queries))
  const links = linkReads(random)
  assert.deepStrictEqual(await readAll(db.links, links), await readAll(stock.links, links))
  if (db.foreignFold) await eventually(() => compareForeign(db, stock))
  await answer(stock.close)
}

async function compareForeign (db, stock) {
  assert.strictEqual(await answer(cb => db.foreignFold.get(cb)), await answer(cb => stock.fold.get(cb)))
  for (const key of keyKinds) {
    assert.deepStrictEqual(await valueOf(db.foreignLevel, key), await valueOf(stock.level, key), JSON.stringify(key))
  }
}

// What is done behind FlumeDB's back foreign views hear of in a moment.
async function eventually (compare) {
  for (let tries = 500; ; tries--) {
    try {
      return await compare()
    } catch (error) {
      if (error.code !== 'ERR_ASSERTION' || tries === 0) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

function levelReads (random) {
  const bound = () => random.of([...keyKinds, ['ash', undefined], ['ash', null]])
  return [
    {}, { reverse: true }, { limit: 3 }, { reverse: true, limit: 2 },
    ...Array.from({ length: 6 }, () => ({
      [random.of(['gt', 'gte'])]: bound(), [random.of(['lt', 'lte'])]: bound(), reverse: random.below(2) === 1
    }))
  ].map(opts => ({ ...opts, seqs: false }))
}

function queryReads (random) {
  const word = random.of(words)
  const n = random.below(50)
  return [
    {},
    { query: [{ $filter: { word } }] },
    { query: [{ $filter: { word: { $prefix: word[0] }, n: { $gt: n } } }] },
    { query: [{ $filter: { word, n: { $lte: n } } }], reverse: true },
    { query: [{ $filter: { deep: { n: 1 } } }] },
    { query: [{ $filter: { n: { $gte: n } } }], limit: 3 },
    { query: [{ $filter: { word } }, { $map: ['n', 'word'] }] },
    { query: [{ $filter: {} }, { $reduce: { word: 'word', count: { $count: true } } }] }
  ]
}

function linkReads (random) {
  const word = random.of(words)
  return [
    { query: { word } },
    { query: [{ $filter: { word, n: { $gt: random.below(50) } } }] },
    { query: [{ $filter: { n: random.below(50) } }], reverse: true },
    { query: [{ $sort: ['n', 'word'] }] }
  ]
}

async function readAll (view, reads) {
  const all = []
  for (const opts of reads) all.push(await collect(pull(view.read(structuredClone(opts)))))
  return all
}

function valueOf (view, key) {
  return new Promise((resolve, reject) => view.get(key, (error, value) => {
    if (error && !error.notFound) return reject(error)
    resolve(error ? 'not found' : value)
  }))
}
