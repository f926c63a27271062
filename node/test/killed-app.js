'use strict'
// An application that lives on and on, until it is killed: node killed-app.js FILE SEED. Writes a line of JSON before
// each change of the log and one behind it.

const fs = require('fs')
const createHistory = require('./history')
const { openOurs } = require('./flume-views')
const { collect, createRandom } = require('./help')

const [file, seed] = process.argv.slice(2)

main()

async function main () {
  const history = createHistory(() => openOurs(file), createRandom(Number(seed)), new Map(), tell)
  for (const { seq, value } of await collect(history.db.stream())) history.live.set(seq, value)
  for (;;) await history.step()
}

function tell (change) {
  fs.writeSync(1, JSON.stringify(change) + '\n')
}
