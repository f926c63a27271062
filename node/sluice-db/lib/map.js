'use strict'
// Map functions: called with the messages of a batch, one after the other, on this thread.
const { functions } = require('./native')
const { emitted, emittedString, emittedNumber } = require('./keys')
const { messagesOf } = require('./messages')
const { invalid } = require('./errors')

function emittedValue (value) {
  if (typeof value === 'string') return emittedString(value)
  if (Number.isFinite(value)) return emittedNumber(value)
  if (value === null || typeof value === 'boolean') return value
  throw invalid('an emitted value must be null, a boolean, a finite number or a string')
}

/** What a function emits later is emitted too late. */
function refusePromise (returned) {
  if (!returned || typeof returned.then !== 'function') return
  returned.then(() => {}, () => {})
  throw invalid('a map function must not be async')
}

/**
 * Registers a map function and answers with its number. Of a batch it answers with a list in JSON: of each
 * message the rows, a key each or {"k":key,"v":value}; null where the function threw.
 */
function addFunction (map, onError) {
  return functions.add(batch => {
    const messages = messagesOf(batch)
    const all = new Array(messages.length)
    let rows
    const emit = (key, value) => {
      rows.push(value === undefined ? emitted(key) : { k: emitted(key), v: emittedValue(value) })
    }
    for (let i = 0; i < all.length; i++) {
      rows = []
      try {
        refusePromise(map(messages[i], emit))
        all[i] = rows
      } catch (error) {
        all[i] = null
        if (onError) onError(error, messages[i])
      }
    }
    return JSON.stringify(all)
  })
}

module.exports = { addFunction }
