'use strict'
// Map functions: called with the messages of a batch, one after the other, on this thread.
const { functions, tell } = require('./native')
const { emitted, emittedString, emittedNumber } = require('./keys')
const { messagesOf } = require('./messages')
const { invalid } = require('./errors')

function emittedValue (value) {
  if (typeof value === 'string') return emittedString(value)
  if (Number.isFinite(value)) return emittedNumber(value)
  if (value === null || typeof value === 'boolean') return value
  throw invalid('an emitted value must be null, a boolean, a finite number or a string')
}

/** A row as it is told to the addon, of a view of this kind. */
function rowOf (kind, key, value) {
  if (value !== undefined && kind === 'index') throw invalid('the rows of an index have no value')
  return value === undefined ? emitted(key) : { k: emitted(key), v: emittedValue(value) }
}

/** What a function emits later is emitted too late. */
function refusePromise (returned) {
  if (!returned || typeof returned.then !== 'function') return
  returned.then(() => {}, () => {})
  throw invalid('a map function must not be async')
}

/**
 * Registers a map function of a view of this kind and answers with its number. Of a batch it answers with a list in
 * JSON: of each message the rows, a key each or {"k":key,"v":value}; null where the function threw. Where `endsPass(error)`
 * of what it threw, nothing is answered: the call that derives fails.
 */
function addFunction (map, kind, onError = () => {}, endsPass) {
  return functions.add(batch => {
    const messages = messagesOf(batch)
    const all = new Array(messages.length)
    let rows
    const emit = (key, value) => { rows.push(rowOf(kind, key, value)) }
    for (let i = 0; i < all.length; i++) {
      rows = []
      try {
        refusePromise(map(messages[i], emit))
        all[i] = rows
      } catch (error) {
        if (error && endsPass(error)) throw error
        all[i] = null
        tell(onError, error, messages[i])
      }
    }
    try {
      return JSON.stringify(all)
    } catch {
      return inParts(all, (error, i) => tell(onError, error, messages[i]))
    }
  })
}

/** As JSON what is too long for one text. */
function inParts (all, onError) {
  const parts = all.flatMap((rows, i) => {
    const before = i === 0 ? '[' : ','
    try {
      return [before, JSON.stringify(rows)]
    } catch (error) {
      onError(error, i)
      return [before, 'null']
    }
  })
  return Buffer.concat([...parts, ']'].map(part => Buffer.from(part)))
}

module.exports = { addFunction }
