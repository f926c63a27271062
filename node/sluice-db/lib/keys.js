'use strict'
// Keys as the addon takes them: JSON, in which a bigint is {"bigint":"123"} inside what functions emit, and
// plain digits elsewhere.
const { invalid } = require('./errors')

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** What JSON says of an element; throws for what is no element of a key. */
function elementText (element) {
  switch (typeof element) {
    case 'string': return JSON.stringify(element)
    case 'boolean': return String(element)
    case 'number':
      if (Number.isFinite(element)) return JSON.stringify(element)
      break
    case 'bigint':
      if (element >= INT64_MIN && element <= INT64_MAX) return String(element)
      break
    case 'object':
      if (element === null) return 'null'
      if (Array.isArray(element)) return '[' + element.map(elementText).join(',') + ']'
  }
  throw invalid('an element of a key must be null, a boolean, a finite number, a 64-bit integer, a string or an array')
}

/** A key as text; undefined stays undefined. */
function keyText (key) {
  if (key === undefined) return undefined
  if (!Array.isArray(key)) throw invalid('a key must be an array of its elements')
  return elementText(key)
}

/** A key of one element. */
function nodeText (element) {
  return element === undefined ? undefined : elementText([element])
}

/** Checks a key that is emitted, and answers with what JSON.stringify() makes the right text of. */
function emitted (key) {
  if (!Array.isArray(key)) throw invalid('a key must be an array of its elements')
  for (let i = 0; i < key.length; i++) {
    const type = typeof key[i]
    if (type === 'string' || type === 'boolean') continue
    if (type === 'number' && Number.isFinite(key[i])) continue
    return key.map(emittedElement)
  }
  return key
}

function emittedElement (element) {
  if (Array.isArray(element)) return element.map(emittedElement)
  elementText(element)
  return typeof element === 'bigint' ? { bigint: String(element) } : element
}

module.exports = { keyText, nodeText, emitted }
