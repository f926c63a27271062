'use strict'
// What a program hands over by mistake is refused and named, and nothing is done.
const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { open, SluiceError } = require('..')
const { folder, database } = require('./support')

/** Asserts that a call is refused, at once or by its promise, in words that say why. */
async function refused (call, message = /./) {
  await assert.rejects(async () => call(), error => {
    assert.ok(error instanceof SluiceError, `${call}: ${error.stack}`)
    assert.equal(error.code, 'invalid_argument', `${call}: ${error.message}`)
    assert.match(error.message, message, String(call))
    return true
  })
}

const CHANGES = ['delete', 'restore', 'erase', 'rederive', 'hold', 'release', 'select']

test('a selector with a slip of the pen in it selects nothing', async t => {
  const db = await database(t)
  await db.addView('by', { kind: 'index', key: ['/author'] })
  await db.appendAll(['ada', 'bob'].map(author => ({ value: { author }, key: author })))
  for (const change of CHANGES) {
    await refused(() => db[change]({ view: 'by', prefx: ['ada'] }), /no member prefx/)
    await refused(() => db[change]({ view: 'by', exact: ['ada'] }), /no member exact/)
    await refused(() => db[change]({ view: 'by', prefix: undefined }), /prefix is undefined/)
    await refused(() => db[change]({ view: 'by', where: '/author=ada' }), /one form/)
    await refused(() => db[change]({ keys: ['ada'], where: undefined }), /one form/)
    await refused(() => db[change]({ view: undefined }), /view must be a string/)
    await refused(() => db[change]({ where: undefined }), /where must be a string/)
    await refused(() => db[change]({ keys: 'ada' }), /keys must be an array/)
    await refused(() => db[change]({ keys: [undefined] }), /application key must be a string/)
    for (const none of ['ada', {}, { key: 'ada' }, undefined, null, true]) {
      await refused(() => db[change](none), /which messages: a seq, an array of seqs, \{keys\}, \{view, prefix\} or \{where\}|one form/)
    }
    for (const none of [0, -1, 1.5, NaN, [1, 0], [[1]]]) await refused(() => db[change](none), /a seq is a whole number from 1 on/)
  }
  assert.equal((await db.stats()).live, 2)
  assert.deepEqual(await db.select({ view: 'by' }), [1, 2])
  assert.deepEqual((await db.delete({ view: 'by', prefix: ['ada'] })).seqs, [1])
})

test('a bound that is named and undefined is no bound that was left out', async t => {
  const db = await database(t)
  const view = await db.addView('by', { kind: 'index', key: ['/author'] })
  await db.append({ author: 'ada' })
  await refused(() => view.get(undefined), /needs a key/)
  await refused(() => view.get('ada'), /a key must be an array/)
  for (const bound of ['exact', 'prefix']) {
    for (const read of ['read', 'all', 'count', 'follow']) {
      await refused(() => view[read]({ [bound]: undefined }), new RegExp(`${bound} is undefined`))
    }
  }
  await refused(() => db.feed({ view: 'by', prefix: undefined }), /prefix is undefined/)
  await refused(() => view.links({ from: undefined }), /from is undefined/)
  assert.equal(await view.count({ from: ['a'], to: undefined, limit: undefined }), 1)
})

test('words that are none of those there are, and options that nobody knows, are named', async t => {
  const db = await database(t)
  const place = path.join(folder(t), 'other')
  const map = () => {}
  await refused(() => open(place, { durability: 'often' }), /durability must be 'every-commit', 'interval' or 'none'/)
  await refused(() => open(place, { readonly: true }), /no option readonly/)
  await refused(() => open(place, { onProgress: 5 }), /onProgress must be a function/)
  await assert.rejects(open(place, { create: false }), { code: 'not_found' })
  await refused(() => db.importFile('x', { format: 'csv' }), /format must be 'flumelog-offset' or 'jsonl'/)
  await refused(() => db.importFile('x', { keypointer: '/key' }), /no option keypointer/)
  await refused(() => db.feed({ start: 'nwo' }), /start must be 'first' or 'now'/)
  await refused(() => db.consumer('c', { start: 'nwo' }), /start must be 'first' or 'now'/)
  await refused(() => db.addView('v', { app: 'a', map, whenBehind: 'read on' }), /whenBehind must be 'wait' or 'read-on'/)
  await refused(() => db.addView('v', { app: 'a', map, onerror: map }), /no option onerror/)
  await refused(() => db.addView('v', { app: 'a', map, onError: 5 }), /onError must be a function/)
  await refused(() => db.verify({ onProgress: 5 }), /onProgress must be a function/)
  const links = await db.addView('links', { kind: 'links', source: '/from', target: '/to' })
  await refused(() => links.walk({ start: 'a', direction: 'backwards' }), /direction must be 'forward' or 'backward'/)
})

test('what JSON has not is refused without a word of what is in it', async t => {
  const db = await database(t)
  await db.append('there')
  const circular = { secret: {} }
  circular.secret.again = circular
  const wrong = [circular, 5n, { n: 5n }, { toJSON () { throw new Error('secret') } }, undefined, () => {}, Symbol('x')]
  const calls = [
    value => db.append(value), value => db.appendAll([{ value }]), value => db.offer([{ value }]), value => db.replace(1, value)
  ]
  for (const value of wrong) {
    for (const call of calls) await refused(() => call(value), /^a message must be bytes or a value that JSON has$/)
    if (typeof value !== 'object') continue
    await refused(() => db.putFact({ collection: 'c', key: [1], value }), /^a fact must be bytes or a value that JSON has$/)
    await refused(() => db.addView('v', { kind: 'index', key: [value] }), /^the definition of a view must be a value that JSON has$/)
    await refused(() => db.addView('v', { app: 'a', map () {}, definition: { value } }), /^the definition of a view must be/)
  }
  assert.equal(db.last, 1)
})

test('what is missing or something else is named', async t => {
  const db = await database(t)
  const view = await db.addView('links', { kind: 'links', source: '/from', target: '/to' })
  for (const add of ['appendAll', 'offer']) {
    for (const none of [undefined, {}, [null], ['text'], [{}]]) await refused(() => db[add](none), /an array of \{value, key\}/)
  }
  for (const none of [undefined, null, [null], {}]) await refused(() => db.putFacts(none), /an array of \{collection, key, value\}/)
  await refused(() => db.putFact({ key: [1] }), /collection must be a string/)
  await refused(() => db.putFact({ collection: 'c' }), /the key of a fact/)
  await refused(() => db.dropFact('c'), /the key of a fact/)
  await refused(() => db.addViews(), /views must be an object/)
  await refused(() => db.addViews({ v: undefined }), /definition of a view/)
  await refused(() => db.addView('v', undefined), /a view must be an object/)
  for (const none of [undefined, 5, null, '']) {
    await refused(() => db.addView(none, { kind: 'index', key: [] }), /the name of a view/)
    await refused(() => db.view(none), /the name of a view/)
    await refused(() => db.consumer(none), /the name of a consumer/)
    await refused(() => db.dropConsumer(none), /the name of a consumer/)
    await refused(() => db.forgetApp(none), /the name of an app/)
    await refused(() => open(none), /the path of a database/)
  }
  await refused(() => open(Buffer.from(folder(t))), /the path of a database/)
  await refused(() => view.walk(), /needs a start/)
  await refused(() => view.search(), /the text to search for/)
  await refused(() => db.importFile(), /the path of a file/)
  await refused(() => db.onEntry(), /needs a function/)
  for (const none of [undefined, null, {}, 1n]) await refused(() => db.get(none), /named by its seq or by its application key/)
  for (const none of [0, -1, 0.5]) {
    for (const call of ['get', 'getNow', 'why']) await refused(() => db[call](none), /a seq is a whole number from 1 on/)
    await refused(() => db.replace(none, 'x'), /a seq is a whole number from 1 on/)
  }
  await refused(() => db.append('x', { key: 5 }), /an application key must be a string/)
  await refused(() => db.scuttlebutt.addIdentity(), /a secret file must be a string or a Uint8Array/)
  assert.equal(db.last, 0)
  assert.deepEqual((await db.views()).map(each => each.name), ['links'])
})

test('null is no options', async t => {
  const db = await database(t)
  const view = await db.addView('links', { kind: 'links', source: '/from', target: '/to' })
  const facts = [{ collection: 'c', key: [1] }]
  for (const options of [null, 5]) {
    for (const call of [
      () => open(path.join(folder(t), 'db'), options), () => db.append(1, options), () => db.appendAll([], options),
      () => db.offer([], options), () => db.get(1, options), () => db.getNow(1, options), () => db.log(options),
      () => db.delete(1, options), () => db.replace(1, 2, options), () => db.select(1, options),
      () => db.putFacts(facts, options), () => db.dropFact('c', [1], options), () => db.eraseFact('c', [1], options),
      () => db.addView('v', { kind: 'index', key: [] }, options), () => db.addViews({}, options),
      () => db.forgetApp('a', options), () => db.waitForViews(options), () => db.feed(options),
      () => db.consumer('c', options), () => db.verify(options), () => db.importFile('x', options),
      () => view.read(options), () => view.all(options), () => view.count(options), () => view.follow(options),
      () => view.links(options), () => view.walk(options), () => view.search('x', options),
      () => db.scuttlebutt.block('@a', options), () => db.scuttlebutt.addIdentity('x', options)
    ]) await refused(call, /options must be an object/)
  }
})

test('halves of surrogate pairs make no application key: to the log they would all be the same', async t => {
  const db = await database(t)
  await db.append('there', { key: 'x\ufffd' })
  for (const key of ['x\ud800', 'x\udabc', '\udc00\ud800']) {
    await refused(() => db.append(1, { key }), /must be Unicode/)
    await refused(() => db.appendAll([{ value: 1, key }]), /must be Unicode/)
    await refused(() => db.offer([{ value: 1, key }]), /must be Unicode/)
    await refused(() => db.get(key), /must be Unicode/)
    await refused(() => db.delete({ keys: [key] }), /must be Unicode/)
  }
  await db.append('a pair', { key: 'x\u{1f600}' })
  assert.equal((await db.get('x\u{1f600}')).value, 'a pair')
  assert.equal(db.last, 2)
})

test('a function whose view could not be added is let go, and so is one that another took the place of', async t => {
  const { functions } = require('../lib/native')
  const db = await database(t)
  const before = functions.entries.size
  const wrong = () => {}
  await assert.rejects(db.addView('v', { app: 'a', map: wrong, definition: { kind: 'nothing' } }), { code: 'invalid_argument' })
  await refused(() => db.addView('v', { app: 'a', map: wrong, version: -1 }))
  assert.equal(functions.entries.size, before)

  const asked = []
  const map = name => ({ app: 'a', map: ({ value }, emit) => { asked.push(name); emit([value]) } })
  await db.addView('v', map('first'))
  const kept = [...functions.entries.values()]
  await db.addView('v', map('second'))
  await db.append('x')
  assert.deepEqual(asked, ['second'])
  const first = kept[kept.length - 1]
  assert.ok(![...functions.entries.values()].includes(first))
  await db.close()
  assert.equal(functions.entries.size, before)
})
