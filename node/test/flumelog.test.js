'use strict'

const { test } = require('node:test')
const assert = require('node:assert')
const fs = require('fs')
const path = require('path')
const pull = require('pull-stream')
const { spawnSync } = require('child_process')
const createLog = require('flumelog-sluice')
const createOffsetLog = require('flumelog-offset')
const { json } = require('flumecodec')
const { newPlace, answer, collect, until } = require('./help')

async function withLog (options, run) {
  if (!run) return withLog(undefined, options)
  const log = createLog(path.join(newPlace(), 'log'), options)
  await run(log)
  await answer(log.close)
}

const append = (log, value) => answer(cb => log.append(value, cb))
const get = (log, seq) => answer(cb => log.get(seq, cb))
const del = (log, seqs) => answer(cb => log.del(seqs, cb))

test('test-flumelog passes', () => {
  const { stdout, status } = spawnSync(process.execPath, [path.join(__dirname, 'peers', 'test-flumelog.js')], { encoding: 'utf8' })
  assert.strictEqual(status, 0, stdout)
  assert.match(stdout, /^# pass {2}33$/m)
})

test('what is deleted is gone from get and from streams, and its number is not used again', () => withLog(async log => {
  assert.strictEqual(await append(log, ['a', 'b', 'c', 'd']), 4)
  await del(log, [2, 4])
  await assert.rejects(get(log, 2), { code: 'flumelog:deleted' })
  assert.deepStrictEqual(await collect(log.stream()), [{ value: 'a', seq: 1 }, { value: 'c', seq: 3 }])
  assert.deepStrictEqual(await collect(log.stream({ values: false })), [1, 3])
  assert.deepStrictEqual(await collect(log.stream({ seqs: false, reverse: true, limit: 2 })), ['c', 'a'])
  assert.strictEqual(log.since.value, 4)
  assert.ok(await append(log, 'e') > 4)
}))

test('a limit counts what is delivered', () => withLog(async log => {
  await append(log, ['a', 'b', 'c', 'd', 'e'])
  await del(log, [1, 3])
  assert.deepStrictEqual(await collect(log.stream({ limit: 2, seqs: false })), ['b', 'd'])
}))

test('erased and replaced messages', () => withLog(async log => {
  await append(log, ['a', 'b'])
  await answer(cb => log.erase(1, cb))
  await answer(cb => log.replace(2, 'B', cb))
  await assert.rejects(get(log, 1), { code: 'flumelog:deleted' })
  assert.strictEqual(await get(log, 2), 'B')
  assert.strictEqual(log.since.value, 2)
}))

test('a number that is no message is refused, and nothing of the same call happens', () => withLog(async log => {
  await append(log, ['a', 'b'])
  await del(log, 2) // Entry 3.
  for (const seq of [0, -1, 1.5, 3, 99, 'a', null, undefined]) {
    await assert.rejects(get(log, seq), { code: 'flumelog:notfound' }, String(seq))
    await assert.rejects(del(log, [1, seq]), { code: 'flumelog:notfound' }, String(seq))
  }
  assert.strictEqual(await get(log, 1), 'a')
  await del(log, [])
  await del(log, 2) // Again.
}))

test('bounds need not be messages', () => withLog(async log => {
  await append(log, ['a', 'b', 'c'])
  await del(log, 2) // Entry 4.
  await append(log, 'd') // Entry 5.
  const seqs = opts => collect(log.stream({ ...opts, values: false }))
  assert.deepStrictEqual(await seqs({ gt: -1 }), [1, 3, 5])
  assert.deepStrictEqual(await seqs({ gt: 2 }), [3, 5])
  assert.deepStrictEqual(await seqs({ gte: 4 }), [5])
  assert.deepStrictEqual(await seqs({ lt: 4, reverse: true }), [3, 1])
  assert.deepStrictEqual(await seqs({ lte: 2.5 }), [1])
  assert.deepStrictEqual(await seqs({ gt: 1.5, lt: 100 }), [3, 5])
  assert.deepStrictEqual(await seqs({ gt: 5 }), [])
}))

test('a live stream tells old and new, before the callback of who appends', () => withLog(async log => {
  await append(log, ['a', 'b'])
  const all = []
  const fresh = []
  pull(log.stream({ live: true, seqs: false }), pull.drain(value => all.push(value)))
  pull(log.stream({ old: false, seqs: false }), pull.drain(value => fresh.push(value)))
  await until(() => all.length === 2)
  await append(log, 'c')
  assert.deepStrictEqual([all, fresh], [['a', 'b', 'c'], ['c']])
  await append(log, Array.from({ length: 1000 }, (_, i) => i))
  await until(() => all.length === 1003 && fresh.length === 1001)
}))

test('a live stream goes on behind messages that were deleted before it came to them', () => withLog(async log => {
  await append(log, ['a', 'b'])
  await del(log, [1, 2])
  const all = []
  pull(log.stream({ live: true, seqs: false }), pull.drain(value => all.push(value)))
  await append(log, 'c')
  await until(() => all.length === 1)
  assert.deepStrictEqual(all, ['c'])
}))

test('a stream that is slow tells nothing that was deleted meanwhile, and what was replaced as it is', () => withLog(async log => {
  await append(log, ['a', 'b', 'c', 'd'])
  const read = log.stream({ seqs: false })
  const next = () => answer(cb => read(null, cb))
  assert.strictEqual(await next(), 'a')
  await del(log, 2)
  await answer(cb => log.replace(3, 'C', cb))
  assert.strictEqual(await next(), 'C')
  assert.strictEqual(await next(), 'd')
}))

test('a stream reads no further than it is asked to, and an abort ends the read that waits', () => withLog(async log => {
  const read = log.stream({ live: true })
  const ends = []
  read(null, end => ends.push(end))
  read(true, end => ends.push(end))
  read(null, end => ends.push(end))
  assert.deepStrictEqual(ends, [true, true, true])
  await append(log, 'a')
  assert.strictEqual(ends.length, 3)
}))

test('closing ends streams: with an error where something was left to read', async () => {
  const log = createLog(path.join(newPlace(), 'log'))
  await append(log, ['a', 'b'])
  let liveEnd
  pull(log.stream({ live: true }), pull.drain(() => {}, error => { liveEnd = error }))
  const read = log.stream()
  await answer(cb => read(null, cb))
  await until(() => liveEnd === undefined)
  await answer(log.close)
  await assert.rejects(answer(cb => read(null, cb)), { code: 'flumelog:closed' })
  await assert.rejects(collect(log.stream()), { code: 'flumelog:closed' })
  await assert.rejects(append(log, 'c'), { code: 'flumelog:closed' })
  await assert.rejects(get(log, 1), { code: 'flumelog:closed' })
  await answer(log.close)
  assert.strictEqual(liveEnd, null)
})

test('what was asked for before closing is done', async () => {
  const place = path.join(newPlace(), 'log')
  const log = createLog(place)
  const appended = append(log, ['a', 'b'])
  await answer(log.close)
  assert.strictEqual(await appended, 2)
  const again = createLog(place)
  assert.deepStrictEqual(await collect(again.stream({ seqs: false })), ['a', 'b'])
  await answer(again.close)
})

test('callbacks of appends come in their order, since is set before', () => withLog(async log => {
  const seqs = []
  await new Promise(resolve => {
    for (let i = 0; i < 50; i++) {
      log.append(i, (error, seq) => {
        assert.ifError(error)
        assert.ok(log.since.value >= seq)
        seqs.push(seq)
        if (seqs.length === 50) resolve()
      })
    }
  })
  assert.deepStrictEqual(seqs, Array.from({ length: 50 }, (_, i) => i + 1))
}))

test('a value that the codec refuses is an error of its append, and no more', () => withLog(async log => {
  const circle = {}
  circle.circle = circle
  await assert.rejects(append(log, circle))
  await assert.rejects(append(log, undefined))
  assert.strictEqual(await append(log, 'a'), 1)
}))

test('codecs: values as bytes, and the ways to say it that flumelog-offset has', async () => {
  const hex = { encode: text => Buffer.from(text, 'hex'), decode: bytes => bytes.toString('hex') }
  for (const args of [[{ codec: hex }], [{ codec: hex, blockSize: 1024, offsetCodec: 53 }], [hex], [1024, hex]]) {
    const log = createLog(path.join(newPlace(), 'log'), ...args)
    await append(log, 'c0ffee')
    assert.strictEqual(await get(log, 1), 'c0ffee')
    const database = await log.sluice()
    assert.deepStrictEqual([...database.getNow(1).body], [0xc0, 0xff, 0xee])
    await answer(log.close)
  }
})

test('what others append and delete is noticed', () => withLog(async log => {
  const database = await answer(log.sluice)
  await append(log, 'a')
  const told = []
  pull(log.stream({ live: true, seqs: false }), pull.drain(value => told.push(value)))
  await database.append('b')
  await until(() => log.since.value === 2 && told.length === 2)
  await database.delete(1)
  await assert.rejects(get(log, 1), { code: 'flumelog:deleted' })
  assert.deepStrictEqual(await collect(log.stream({ values: false })), [2])
}))

test('with `key` a message is named, and refused twice', () => withLog({ key: msg => msg.id }, async log => {
  await append(log, { id: 'x', n: 1 })
  await assert.rejects(append(log, { id: 'x', n: 2 }), { code: 'exists' })
  await append(log, [{ n: 3 }, { n: 3 }]) // Without a name: as often as one likes.
  const database = await log.sluice()
  assert.strictEqual(database.getNow('x').seq, 1)
}))

test('since is the last message also behind changes, when it is opened again', async () => {
  const place = path.join(newPlace(), 'log')
  const log = createLog(place)
  await append(log, ['a', 'b', 'c'])
  await del(log, 3)
  await del(log, 2)
  await answer(log.close)
  const again = createLog(place)
  await again.sluice()
  assert.strictEqual(again.since.value, 3)
  await answer(again.close)
})

test('50,000 messages: a sink that reads from its callback does not exhaust the stack', () => withLog(async log => {
  const count = 50000
  for (let i = 0; i < count; i += 5000) await append(log, Array.from({ length: 5000 }, (_, j) => ({ n: i + j })))
  const read = log.stream({ seqs: false })
  let seen = 0
  await new Promise((resolve, reject) => {
    read(null, function next (end, value) {
      if (end) return end === true ? resolve() : reject(end)
      assert.strictEqual(value.n, seen++)
      read(null, next)
    })
  })
  assert.strictEqual(seen, count)
  assert.strictEqual((await collect(log.stream({ values: false, reverse: true })))[0], count)
}))

test('a file of flumelog-offset is taken over, with what is appended to it later, and stays as it is', async () => {
  const file = path.join(newPlace(), 'log.offset')
  const appendToOld = async values => {
    const old = createOffsetLog(file, { codec: json })
    await answer(cb => old.append(values, cb))
    await until(() => fs.existsSync(file))
  }
  await appendToOld([{ n: 1 }, { n: 2 }, { n: 2 }])
  const before = fs.readFileSync(file)
  const open = async () => {
    const log = createLog(file, { codec: json, blockSize: 1024 })
    const values = await collect(log.stream({ seqs: false }))
    return { log, values }
  }
  const first = await open()
  assert.deepStrictEqual(first.values, [{ n: 1 }, { n: 2 }, { n: 2 }])
  assert.strictEqual(first.log.filename, file)
  await del(first.log, 1)
  await append(first.log, { n: 10 })
  await answer(first.log.close)
  assert.deepStrictEqual(fs.readFileSync(file), before)
  assert.ok(fs.statSync(path.join(path.dirname(file), 'log.sluice')).isDirectory())

  await appendToOld([{ n: 3 }])
  const second = await open()
  assert.deepStrictEqual(second.values, [{ n: 2 }, { n: 2 }, { n: 10 }, { n: 3 }])
  await answer(second.log.close)

  fs.rmSync(file) // The database stays where it is.
  const third = await open()
  assert.deepStrictEqual(third.values, [{ n: 2 }, { n: 2 }, { n: 10 }, { n: 3 }])
  await answer(third.log.close)
})

test('two logs of one place share the database, and two places have two', async () => {
  const place = path.join(newPlace(), 'log')
  const [one, two, other] = [createLog(place), createLog(place), createLog(path.join(newPlace(), 'log'))]
  await append(one, 'a')
  await append(other, 'z')
  await until(() => two.since.value === 1)
  assert.strictEqual(await get(two, 1), 'a')
  await answer(one.close)
  await append(two, 'b')
  await answer(two.close)
  const again = createLog(place)
  assert.deepStrictEqual(await collect(again.stream({ seqs: false })), ['a', 'b'])
  assert.deepStrictEqual(await collect(other.stream({ seqs: false })), ['z'])
  await answer(again.close)
  await answer(other.close)
})

test('a log that could not be opened does not part those that were opened behind it', async () => {
  const file = path.join(newPlace(), 'log.offset')
  fs.writeFileSync(file, 'no log of flumelog-offset')
  const failing = createLog(file)
  let hasFailed = false
  failing.sluice().catch(() => {
    hasFailed = true
    fs.rmSync(file) // Before the next one looks for it.
  })
  failing.close()
  await Promise.resolve() // It is being closed.
  const one = createLog(file)
  assert.ok(!hasFailed)
  await until(() => hasFailed)
  const two = createLog(file)
  await append(one, 'a')
  assert.strictEqual(await two.sluice(), await one.sluice())
  await answer(one.close)
  await answer(two.close)
})
