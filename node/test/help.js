'use strict'
// What the tests of the flume packages share.

const fs = require('fs')
const os = require('os')
const path = require('path')
const pull = require('pull-stream')

const places = []
process.on('exit', () => places.forEach(place => fs.rmSync(place, { recursive: true, force: true })))

/** A directory that is thrown away at the end. */
exports.newPlace = function newPlace () {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-flume-'))
  places.push(place)
  return place
}

/** What `call` calls back with: `await answer(cb => db.get(1, cb))`. */
exports.answer = function answer (call) {
  return new Promise((resolve, reject) => call((error, value) => error ? reject(error) : resolve(value)))
}

/** All that a source gives. */
exports.collect = function collect (source) {
  return exports.answer(cb => pull(source, pull.collect(cb)))
}

exports.until = async function until (condition) {
  const end = Date.now() + 10000
  while (!condition()) {
    if (Date.now() > end) throw new Error('waited in vain for ' + condition)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
