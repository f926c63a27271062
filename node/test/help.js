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

/** A small generator of random numbers, so that a history can be run again. */
exports.createRandom = function createRandom (seed) {
  let state = seed * 2654435761 % 2 ** 32
  const below = limit => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * limit)
  }
  return { below, of: list => list[below(list.length)] }
}
