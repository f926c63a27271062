'use strict'
// What the measurements of ssb-db2 share.
const fs = require('fs')
const path = require('path')
const bipf = require('bipf')
const AppendOnlyLog = require('async-append-only-log')
const SecretStack = require('secret-stack')

const report = (name, value, unit) => console.log(JSON.stringify({ name, value, unit }))
const seconds = begin => Number(process.hrtime.bigint() - begin) / 1e9
const called = f => new Promise((resolve, reject) => f((err, v) => err ? reject(err) : resolve(v)))
// They are written a while after they changed.
const indexesAreWritten = () => new Promise(resolve => setTimeout(resolve, 2500))

// flumelog-offset: length, bytes, length, and where the record ends, in 32 bits each.
function * records (log) {
  const file = fs.readFileSync(log)
  for (let at = 0; at < file.length;) {
    const size = file.readUInt32BE(at)
    yield JSON.parse(file.toString('utf8', at + 4, at + 4 + size))
    at += size + 12
  }
}

// The log becomes ssb-db2's, in an empty directory.
const convert = async (log, to) => {
  fs.rmSync(to, { recursive: true, force: true })
  fs.mkdirSync(path.join(to, 'db2'), { recursive: true })
  const out = AppendOnlyLog(path.join(to, 'db2', 'log.bipf'), { blockSize: 64 * 1024 })
  for (const message of records(log)) {
    await called(cb => out.append(bipf.allocAndEncode(message), cb))
  }
  await called(cb => out.onDrain(cb))
  await called(cb => out.close(cb))
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

module.exports = { report, seconds, called, indexesAreWritten, records, convert, start }
