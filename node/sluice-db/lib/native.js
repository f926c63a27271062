'use strict'
// The addon, and what it calls: each kind of call has one function here, which finds whom it is for by a
// number. So the addon keeps no function of anybody's for longer than a call.
const fs = require('fs')
const path = require('path')
const { fromNative, invalid } = require('./errors')

function load () {
  const places = [
    path.join(__dirname, '..', 'build', 'sluice.node'),
    path.join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`, 'sluice.node')
  ]
  const found = places.find(place => fs.existsSync(place))
  if (!found) {
    throw new Error(`sluice-db has no addon for ${process.platform}-${process.arch} in ${places.join(' or ')}: ` +
      'see "Building" in its README.md')
  }
  return require(found)
}

/** Hands out numbers for what the addon calls back. */
class Register {
  constructor () {
    this.next = 1
    this.entries = new Map()
  }

  add (entry) {
    this.entries.set(this.next, entry)
    return this.next++
  }

  get (number) { return this.entries.get(number) }
  remove (number) { this.entries.delete(number) }
}

/**
 * Calls a listener. What it throws is its program's affair, an uncaught exception as of any other event, and takes
 * nobody else's turn.
 */
function tell (listener, ...what) {
  try {
    listener(...what)
  } catch (error) {
    process.nextTick(() => { throw error })
  }
}

const native = load()
const progress = new Register() // onProgress functions of calls that are under way.
const databases = new Register()
const functions = new Register() // Map functions: from a batch to rows as JSON.

native.setHooks(
  fromNative,
  (call, what, done, total) => {
    const onProgress = progress.get(call)
    if (onProgress) tell(onProgress, { what, done, total })
  },
  (database, last) => {
    const open = databases.get(database)
    if (open) open.tellEntry(last)
  },
  (number, batch) => functions.get(number)(batch)
)

/** Makes a call that may tell how far it is: `make` gets the number of its onProgress, or undefined. */
async function withProgress (onProgress, make) {
  if (onProgress === undefined) return make(undefined)
  if (typeof onProgress !== 'function') throw invalid('onProgress must be a function')
  const call = progress.add(onProgress)
  try {
    return await make(call)
  } finally {
    progress.remove(call)
  }
}

module.exports = { native, databases, functions, tell, withProgress }
